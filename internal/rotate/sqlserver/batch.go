package sqlserver

import "strings"

// Numbers of our own in the batch, which say why the login was left alone.
const (
	numberUnknown  = 50001
	numberExternal = 50002
	numberLocked   = 50003
	numberNoRight  = 50004
)

// look finds what says that a login must not be changed: a password would be of no use to
// it.
const look = `SET NOCOUNT ON;
DECLARE @type char(1), @off int;
SELECT @type = type, @off = is_disabled FROM sys.server_principals WHERE name = {name};
IF @type IS NULL BEGIN; THROW 50001, N'coffer', 1; END;
IF @type <> 'S' BEGIN; THROW 50002, N'coffer', 1; END;
IF @off = 1 OR CONVERT(int, LOGINPROPERTY({name}, 'IsLocked')) = 1 BEGIN; THROW 50003, N'coffer', 1; END;
`

// mayChange asks for the right, for a preview.
const mayChange = `IF HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY LOGIN') = 0 BEGIN; THROW 50004, N'coffer', 1; END;`

// change is the change itself. A login that has the password already is left alone, for a
// caller who lost an answer asks again, and the server may refuse to take the same one
// twice; that takes CONTROL SERVER, without which the hash is not shown.
const change = look + `IF NOT EXISTS (SELECT 1 FROM sys.sql_logins WHERE name = {name} AND PWDCOMPARE({password}, password_hash) = 1)
ALTER LOGIN {login} WITH PASSWORD = {password};`

// inspection returns the batch that looks at a login.
func inspection(login string) string {
	return strings.ReplaceAll(look+mayChange, "{name}", quoteText(login))
}

// batch returns the batch for a login. Its parts are put in by one pass, so that a name
// with braces in it is a name.
func batch(login, password string) string {
	return strings.NewReplacer("{name}", quoteText(login), "{login}", quoteName(login), "{password}", quoteText(password)).Replace(change)
}

// quoteName returns name as an identifier. Within brackets only the closing one has a
// meaning, whatever QUOTED_IDENTIFIER says.
func quoteName(name string) string { return "[" + strings.ReplaceAll(name, "]", "]]") + "]" }

// quoteText returns text as a literal of Unicode. Only the quote has a meaning in it, but
// for a backslash before a line break, which is in no password that is set and in no name.
func quoteText(text string) string { return "N'" + strings.ReplaceAll(text, "'", "''") + "'" }

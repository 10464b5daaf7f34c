package rotate

import "slices"

// Cause is one code with what it means and what mends it.
type Cause struct {
	Code  Code
	Means string
	Mend  string
}

// causes holds every code that a task of ours can end with. Engines have their codes in
// packages that this one does not know; a test compares.
var causes = []Cause{
	{CodeFunctionNotFound, "nothing is bound to the `rotation_func_urn` of the secret", "bind the URN under `functions` in the configuration, name a built-in engine, or correct the URN"},
	{CodeTargetNotFound, "no database is registered under the InstanceId of the secret", "register it with `coffer target add`, or give the secret a `rotation_func_urn`"},
	{CodeNotApplied, "the function reported success, and SYSCURRENT is where it was", "mend the function: it must store a version and move SYSCURRENT before it answers"},
	{CodeSecretNotFound, "the secret was destroyed while its task ran", "nothing; the task ends with its secret"},
	{CodeSecretNotEnabled, "the secret is disabled or scheduled for deletion", "enable it, or `coffer secret restore`, and rotate again"},
	{CodeFailed, "the cause is none of these", "look into the log of the server at the time of the task, for its id"},
	{"SECRET_VALUE_UNREADABLE", "the value names no account with a password", "store a JSON object with `username` and `password` as the new version"},
	{"SECOND_ACCOUNT_MISSING", "MultiUser, and SYSPREVIOUS holds no account, or the one of SYSCURRENT", "store the second account as a version; `coffer stage` moves the labels"},
	{"ACCOUNT_NOT_ALLOWED", "the target does not list the account", "add it with `coffer target update INSTANCE-ID --account`, which replaces the whole list"},
	{"ADMIN_SECRET_UNREADABLE", "the administrator's secret is not there, cannot be opened, or names nobody", "store `{\"username\":...,\"password\":...}` in the secret that the target names; look at its KMS key"},
	{"ADMIN_LOGIN_REFUSED", "the server refuses the administrator", "store the right password in the administrator's secret; look at `pg_hba.conf` or at the host of the account"},
	{"PERMISSION_MISSING", "the administrator may not change the account", "give him the rights in the table of administrators"},
	{"HOST_UNREACHABLE", "no connection to host and port", "look at name, port, firewall, and `outgoing.allow_networks` for loopback and link-local addresses"},
	{"TLS_FAILED", "no TLS, or a certificate that is not trusted", "look at `tls_mode`, at the CA of the target, and at the name in the certificate"},
	{"TIMEOUT", "no answer in ten seconds", "look at the load of the server, and at locks on its catalogue"},
	{"SERVER_UNAVAILABLE", "the server starts, stops, is full, or only reads", "wait, free connections, or point the target to the primary"},
	{"SERVER_UNSUPPORTED", "the version or kind of the server is not known", "use PostgreSQL 10, MySQL 5.7.6, MariaDB 10.4 or later, or a function"},
	{"ACCOUNT_UNKNOWN", "the server has no such account", "create it, or correct the value of the secret"},
	{"ACCOUNT_LOCKED", "the account may not log in, whatever its password", "unlock it: `ALTER ROLE ... LOGIN`, `VALID UNTIL`, `ACCOUNT UNLOCK`"},
	{"ACCOUNT_UNSUPPORTED", "the account does not log in with a password that the server stores", "give it such a password, or rotate it by a function"},
	{"PASSWORD_EXPIRED", "the password is right, and its time is over", "end the expiry of the account: `PASSWORD EXPIRE NEVER`"},
	{"PASSWORD_POLICY", "the server refuses the password that was made", "relax the policy of the server for 24 characters of all types"},
	{"LOGIN_REFUSED", "the login after the change was refused", "find out who else changes the account; the next try changes it again"},
	{"ENGINE_FAILED", "the server refused for another reason", "the message has the number of the server's error; its log has the rest"},
	{"FUNCTION_UNREACHABLE", "the function does not answer", "look at its URL, its certificate, and whether it answers within 300 seconds"},
	{"FUNCTION_ADDRESS", "the address of the function may not be called", "name its network under `outgoing.allow_networks`"},
	{"FUNCTION_FAILED", "the function says that it failed", "look into the log of the function; it may answer with codes of its own"},
	{Code("CSMS.0002"), "a preview found that RotateSecret would refuse the secret: it is a replica, or is being rotated", "rotate the primary, or wait until the task has ended"},
	{Code("CSMS.0005"), "the pending version is gone, because its label was taken away", "rotate again; leave labels that begin with `PENDING-` alone"},
	{Code("CSMS.0204"), "the secret has 12 labels, and a rotation needs one more", "delete a label: `coffer stage delete`"},
	{Code("CSMS.0401"), "the KMS key of the secret cannot be used", "enable the key, or cancel its deletion"},
}

// Causes returns every code of ours with what it means and what mends it.
func Causes() []Cause { return slices.Clone(causes) }

// CauseOf returns the cause of a code; ok is false for one that a function made up.
func CauseOf(code Code) (c Cause, ok bool) {
	i := slices.IndexFunc(causes, func(c Cause) bool { return c.Code == code })
	if i < 0 {
		return Cause{}, false
	}
	return causes[i], true
}

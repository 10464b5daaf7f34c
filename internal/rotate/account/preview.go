package account

import (
	"context"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/rotate/database"
)

// Preview tells which account would get a new password, and what would keep it from
// that. It logs in as the administrator once, and never as the account: a wrong password
// would count there as a failed login. The server is not asked about an account that the
// target does not list.
func (a *Account) Preview(ctx context.Context, r *rotate.Rotation, base csms.Plaintext) *rotate.Preview {
	policy := a.engine.Policy()
	p := &rotate.Preview{Password: rotate.Password{Length: policy.Length, Specials: policy.Specials}}
	name, err := accountOf(r, base)
	p.Account, p.Findings = name, []rotate.Finding{rotate.Found(rotate.CheckAccount, err)}
	if name == "" {
		p.Findings = append(p.Findings, rotate.NotLooked(rotate.CheckListed, noAccount))
		p.Findings = append(p.Findings, a.inspect(ctx, "")...)
		return p
	}
	refused := a.allows(name)
	if refused != nil {
		name = ""
	}
	p.Findings = append(p.Findings, rotate.Found(rotate.CheckListed, refused))
	p.Findings = append(p.Findings, a.inspect(ctx, name)...)
	return p
}

const noAccount = "There is no account that could be looked at."

// accountOf returns the account that base names.
func accountOf(r *rotate.Rotation, base csms.Plaintext) (string, error) {
	if base == nil {
		return "", noSecondAccount(r)
	}
	l, err := parse(base)
	if err != nil {
		return "", unreadable()
	}
	clear(l.password)
	return l.account, nil
}

// atServer are the checks for which the server is asked, in their order.
var atServer = []rotate.Check{rotate.CheckAdminSecret, rotate.CheckServer, rotate.CheckAdminLogin, rotate.CheckChange}

// inspect asks the server. What comes before the check that failed has passed, and what
// comes after it was not looked at.
func (a *Account) inspect(ctx context.Context, name string) []rotate.Finding {
	err := explain(a.engine.Inspect(ctx, name))
	failed := len(atServer)
	if err != nil {
		failed = slices.Index(atServer, checkOf(rotate.Explain(err).Code))
	}
	findings := make([]rotate.Finding, 0, len(atServer))
	for i, check := range atServer {
		switch {
		case i > failed:
			findings = append(findings, rotate.NotLooked(check, "The check before it failed."))
		case i == failed:
			findings = append(findings, rotate.Found(check, err))
		case check == rotate.CheckChange && name == "":
			findings = append(findings, rotate.NotLooked(check, noAccount))
		default:
			findings = append(findings, rotate.Found(check, nil))
		}
	}
	return findings
}

// checkOf returns the check that fails with a code.
func checkOf(code rotate.Code) rotate.Check {
	switch code {
	case CodeAdminUnreadable:
		return rotate.CheckAdminSecret
	case rotate.Code(database.AdminRefused):
		return rotate.CheckAdminLogin
	case rotate.Code(database.Unreachable), rotate.Code(database.TLSFailed), rotate.Code(database.Timeout),
		rotate.Code(database.Unavailable), rotate.Code(database.Unsupported):
		return rotate.CheckServer
	default:
		return rotate.CheckChange
	}
}

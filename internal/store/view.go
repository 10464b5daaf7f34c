package store

import (
	"errors"
	"iter"

	"coffer/internal/csms"
	"coffer/internal/kv"
)

// View is one snapshot, for lists. Every sequence is ascending and ends after an
// error. The records are private to the caller.
type View struct {
	r     kv.Reader
	codec codec
}

// Secret returns a secret of a project, or CSMS.0106.
func (v *View) Secret(project, name string) (*csms.Secret, error) {
	raw, err := getRaw(v.r, secretKey(nil, project, name))
	if errors.Is(err, ErrNotFound) {
		return nil, secretNotFound(name)
	}
	if err != nil {
		return nil, err
	}
	return secretKind.decode(v.codec, raw)
}

// Value returns the sealed value of a version, or ErrNotFound.
func (v *View) Value(secretID string, number int) ([]byte, error) {
	return getRaw(v.r, valueKey(nil, secretID, number))
}

// Secrets yields the secrets of a project by name, from the first one after the
// marker; "" is before all names.
func (v *View) Secrets(project, marker string) iter.Seq2[*csms.Secret, error] {
	return records(v, &secretKind, after(start(nil, tableSecret).text(project).under(), marker))
}

// SecretsByEvent yields, by name, the secrets of a project that subscribe to an
// event, from the first one after the marker.
func (v *View) SecretsByEvent(project, event, marker string) iter.Seq2[*csms.Secret, error] {
	return owners(v, &secretKind, after(eventKey(project, event).under(), marker))
}

// SecretsByInstance yields, by name, the secrets of a project that are bound to a
// database instance.
func (v *View) SecretsByInstance(project, instanceID string) iter.Seq2[*csms.Secret, error] {
	return owners(v, &secretKind, instanceKey(project, instanceID).under())
}

// Domains yields all domains by name.
func (v *View) Domains() iter.Seq2[*Domain, error] {
	return owners(v, &domainKind, tableDomainName.all())
}

// Projects yields the projects of a domain by name.
func (v *View) Projects(domain string) iter.Seq2[*Project, error] {
	return owners(v, &projectKind, start(nil, tableProjectName).text(domain).under())
}

// Users yields the users of a domain by name.
func (v *View) Users(domain string) iter.Seq2[*User, error] {
	return owners(v, &userKind, start(nil, tableUserName).text(domain).under())
}

// Policies yields the policies of a domain by name.
func (v *View) Policies(domain string) iter.Seq2[*Policy, error] {
	return owners(v, &policyKind, start(nil, tablePolicyName).text(domain).under())
}

// AccessKeysOf yields the access keys of a user by access key, temporary ones too.
func (v *View) AccessKeysOf(userID string) iter.Seq2[*AccessKey, error] {
	return owners(v, &accessKeyKind, start(nil, tableAccessKeyUser).text(userID).under())
}

// Keys yields the KMS keys of a project by id.
func (v *View) Keys(project string) iter.Seq2[*Key, error] {
	return records(v, &keyKind, start(nil, tableKey).text(project).under())
}

// records yields the records whose keys are in r. An empty range is of a key that
// names nothing, and yields nothing.
func records[T any](v *View, kind *kind[T], r kv.Range) iter.Seq2[*T, error] {
	return scan(v, r, func(item kv.Item) (*T, error) { return kind.decode(v.codec, item.Value) })
}

// owners yields the records that the index rows in r lead to.
func owners[T any](v *View, kind *kind[T], r kv.Range) iter.Seq2[*T, error] {
	return scan(v, r, func(item kv.Item) (*T, error) {
		return follow(v.r, v.codec, append(key(nil), item.Value...), kind)
	})
}

func scan[T any](v *View, r kv.Range, read func(kv.Item) (*T, error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		if len(r.To) == 0 {
			return
		}
		for item, err := range v.r.Scan(r) {
			var rec *T
			if err == nil {
				rec, err = read(item)
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

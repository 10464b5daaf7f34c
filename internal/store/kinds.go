package store

import (
	"crypto/sha256"
	"encoding/hex"
	"math"

	"coffer/internal/csms"
)

// kind says everything the store knows about one type of record: where it stands,
// which rows follow from it, and its form on disk.
type kind[T any] struct {
	table  table
	key    func(*T) key
	rows   func(*T) []row // may hold rows with a nil key: the record is then refused
	refers func(*T) []key // records that must be there for this one to be whole; may be nil
	encode func(codec, *T) ([]byte, error)
	decode func(codec, []byte) (*T, error)
}

// The kinds of records.
var (
	secretKind = kind[csms.Secret]{
		table: tableSecret,
		key:   func(s *csms.Secret) key { return secretKey(nil, s.ProjectID, s.Name) },
		rows:  secretRows,
		encode: func(c codec, s *csms.Secret) ([]byte, error) {
			return c.encode(tableSecret, secretToRecord(s))
		},
		decode: func(c codec, raw []byte) (*csms.Secret, error) {
			var r secretRecord
			if err := c.decode(tableSecret, raw, &r); err != nil {
				return nil, err
			}
			return r.secret(), nil
		},
	}
	domainKind = plain(tableDomain,
		func(d *Domain) key { return idKey(nil, tableDomain, d.ID) },
		func(d *Domain) []row { return []row{unique(domainNameKey(nil, d.Name))} })
	projectKind = plain(tableProject,
		func(p *Project) key { return idKey(nil, tableProject, p.ID) },
		func(p *Project) []row { return []row{unique(nameKey(nil, tableProjectName, p.DomainID, p.Name))} })
	userKind = plainReferring(tableUser,
		func(u *User) key { return idKey(nil, tableUser, u.ID) },
		userRows, userRefers)
	policyKind = plain(tablePolicy,
		func(p *Policy) key { return idKey(nil, tablePolicy, p.ID) },
		func(p *Policy) []row { return []row{unique(nameKey(nil, tablePolicyName, p.DomainID, p.Name))} })
	accessKeyKind = plain(tableAccessKey,
		func(a *AccessKey) key { return idKey(nil, tableAccessKey, a.AccessKey) },
		accessKeyRows)
	tokenKind = plain(tableToken,
		func(t *Token) key { return tokenKey(nil, &t.Hash) },
		tokenRows)
	keyKind = plain(tableKey,
		func(k *Key) key { return projectKeyKey(nil, k.ProjectID, k.ID) },
		keyRows)
	configKind = plain(tableConfig,
		func(c *SecretsConfig) key { return configKey(nil, c.DomainID, c.ProjectID) },
		func(*SecretsConfig) []row { return nil })
	eventKind = kind[csms.Event]{
		table:  tableEvent,
		key:    func(e *csms.Event) key { return nameKey(nil, tableEvent, e.ProjectID, e.Name) },
		rows:   func(*csms.Event) []row { return nil },
		encode: func(c codec, e *csms.Event) ([]byte, error) { return c.encode(tableEvent, eventToRecord(e)) },
		decode: func(c codec, raw []byte) (*csms.Event, error) {
			var r eventRecord
			if err := c.decode(tableEvent, raw, &r); err != nil {
				return nil, err
			}
			return r.event(), nil
		},
	}
	grantsKind = kind[csms.Grants]{
		table:  tableGrant,
		key:    func(gs *csms.Grants) key { return idKey(nil, tableGrant, gs.SecretID) },
		rows:   func(*csms.Grants) []row { return nil },
		encode: func(c codec, gs *csms.Grants) ([]byte, error) { return c.encode(tableGrant, grantsToRecord(gs)) },
		decode: func(c codec, raw []byte) (*csms.Grants, error) {
			var r grantsRecord
			if err := c.decode(tableGrant, raw, &r); err != nil {
				return nil, err
			}
			return r.grants(), nil
		},
	}
	enterpriseKind = plain(tableEnterprise,
		func(p *EnterpriseProject) key { return nameKey(nil, tableEnterprise, p.DomainID, p.ID) },
		func(p *EnterpriseProject) []row {
			return []row{unique(nameKey(nil, tableEnterpriseName, p.DomainID, p.Name))}
		})
	outboxKind = plain(tableOutbox,
		func(o *Outgoing) key { return outboxKey(o.SecretID).number(o.Number) },
		func(*Outgoing) []row { return nil })
	notificationKind = plain(tableNotification,
		func(n *NotificationRecord) key {
			return notificationsKey(n.ProjectID, n.NotificationPlace).text(n.MessageID)
		},
		notificationRows)
	topicKind = plain(tableTopic,
		func(t *Topic) key { return nameKey(nil, tableTopic, t.ProjectID, t.Name) },
		func(t *Topic) []row { return []row{unique(idKey(nil, tableTopicID, t.ID))} })
)

// plain returns a kind whose records are on disk as they are.
func plain[T any](t table, key func(*T) key, rows func(*T) []row) kind[T] {
	return kind[T]{
		table: t, key: key, rows: rows,
		encode: func(c codec, r *T) ([]byte, error) { return c.encode(t, r) },
		decode: func(c codec, raw []byte) (*T, error) {
			r := new(T)
			if err := c.decode(t, raw, r); err != nil {
				return nil, err
			}
			return r, nil
		},
	}
}

// plainReferring returns a plain kind whose records refer to others.
func plainReferring[T any](t table, key func(*T) key, rows func(*T) []row, refers func(*T) []key) kind[T] {
	k := plain(t, key, rows)
	k.refers = refers
	return k
}

func unique(k key) row { return row{key: k, unique: true} }

// Keys of records and of the rows that are looked up by name. They are built in the
// memory of dst.

func secretKey(dst []byte, project, name string) key {
	return start(dst, tableSecret).text(project).text(name)
}

func secretIDKey(dst []byte, id string) key { return start(dst, tableSecretID).text(id) }

func valueKey(dst []byte, secretID string, version int) key {
	return start(dst, tableValue).text(secretID).number(version)
}

// outboxKey begins the keys of the messages about one secret.
func outboxKey(secretID string) key { return start(nil, tableOutbox).text(secretID) }

// notificationsKey begins the keys of the records at one place. Time and number
// count down.
func notificationsKey(project string, p NotificationPlace) key {
	return start(nil, tableNotification).text(project).instant(math.MaxInt64 - p.CreateTime).number(math.MaxInt32 - p.Number)
}

// subscribersKey is the key of the counter beside the rows under eventKey.
func subscribersKey(project, event string) key {
	return start(nil, tableEventCount).text(project).text(event)
}

// tagCountKey is the key of the counter beside the rows of one value of a tag.
func tagCountKey(project, name string, value *[32]byte) key {
	return start(nil, tableTagCount).text(project).text(name).digest(value)
}

func countKey(project string) key { return start(nil, tableSecretCount).text(project) }

func idKey(dst []byte, t table, id string) key { return start(dst, t).text(id) }

func tokenKey(dst []byte, hash *[32]byte) key { return start(dst, tableToken).digest(hash) }

func projectKeyKey(dst []byte, project, id string) key {
	return start(dst, tableKey).text(project).text(id)
}

func configKey(dst []byte, domain, project string) key {
	return start(dst, tableConfig).text(domain).text(project)
}

func domainNameKey(dst []byte, name string) key { return start(dst, tableDomainName).text(name) }

// nameKey is the key of the row for a name that is unique within an owner.
func nameKey(dst []byte, t table, owner, name string) key {
	return start(dst, t).text(owner).text(name)
}

func eventKey(project, event string) key {
	return start(nil, tableSecretEvent).text(project).text(event)
}

// instanceKey holds a hash, because the id comes from free text of any length.
func instanceKey(project, instance string) key {
	sum := sha256.Sum256([]byte(instance))
	return start(nil, tableSecretInstance).text(project).digest(&sum)
}

// tagKey holds a hash of the value, because a key of 128 and a value of 255
// characters do not fit in kv.MaxKey together, and because the value may be empty.
func tagKey(project string, t csms.Tag) key {
	sum := sha256.Sum256([]byte(t.Value))
	return tagKeyKey(project, t.Key).digest(&sum)
}

// tagKeyKey begins the keys of the rows of all tags of one key.
func tagKeyKey(project, tag string) key { return start(nil, tableSecretTag).text(project).text(tag) }

func dueRow(at csms.Millis, kind DueKind, subject string, n int) row {
	return row{key: start(nil, tableDue).instant(at).text(string(kind)).text(subject).number(n)}
}

// secretRows derives the rows of a secret; its sealed values are among them.
func secretRows(s *csms.Secret) []row {
	rows := make([]row, 0, 4+2*len(s.Versions)+len(s.Tags))
	rows = append(rows, unique(secretIDKey(nil, s.ID)))
	for _, event := range s.EventSubscriptions {
		rows = append(rows, row{key: eventKey(s.ProjectID, event).text(s.Name)})
	}
	if id := s.Instance().InstanceID; id != "" {
		rows = append(rows, row{key: instanceKey(s.ProjectID, id).text(s.Name)})
	}
	for _, t := range s.Tags {
		rows = append(rows, row{key: tagKey(s.ProjectID, t).text(s.Name)})
	}
	if s.State == csms.PendingDelete {
		rows = append(rows, dueRow(s.ScheduledDeleteTime, DuePurge, s.ID, 0))
	}
	if at := s.RotationDue(); at != 0 {
		rows = append(rows, dueRow(at, DueRotation, s.ID, 0))
	}
	for i := range s.Replicas {
		if r := &s.Replicas[i]; r.Waits() {
			rows = append(rows, dueRow(r.NextTry, DueReplica, r.ID, 0))
		}
	}
	for i := range s.Versions {
		v := &s.Versions[i]
		rows = append(rows, row{key: valueKey(nil, s.ID, v.Number), owned: true})
		if v.ExpireTime != 0 && !v.Expired {
			rows = append(rows, dueRow(v.ExpireTime, DueVersionExpiry, s.ID, v.Number))
		}
	}
	return rows
}

func accessKeyRows(a *AccessKey) []row {
	var rows []row
	if a.UserID != "" {
		rows = append(rows, row{key: nameKey(nil, tableAccessKeyUser, a.UserID, a.AccessKey)})
	}
	if a.Temporary != nil {
		rows = append(rows, dueRow(a.Temporary.ExpiresAt, DueAccessKeyExpiry, a.AccessKey, 0))
	}
	return rows
}

func tokenRows(t *Token) []row {
	return []row{dueRow(t.ExpiresAt, DueTokenExpiry, hex.EncodeToString(t.Hash[:]), 0)}
}

func notificationRows(n *NotificationRecord) []row {
	return []row{dueRow(csms.RecordExpiry(n.CreateTime), DueRecordExpiry, n.MessageID, 0)}
}

func keyRows(k *Key) []row {
	var rows []row
	if k.Alias != "" {
		rows = append(rows, unique(nameKey(nil, tableKeyAlias, k.ProjectID, k.Alias)))
	}
	for _, a := range k.Aliases {
		rows = append(rows, unique(nameKey(nil, tableKeyAlias, k.ProjectID, a.Alias)))
	}
	if k.State == KeyPendingDeletion {
		rows = append(rows, dueRow(k.DeletionTime, DueKeyDeletion, k.ID, 0))
	}
	if k.State == KeyEnabled && k.NextRotation != 0 {
		rows = append(rows, dueRow(k.NextRotation, DueKeyRotation, k.ID, 0))
	}
	return rows
}

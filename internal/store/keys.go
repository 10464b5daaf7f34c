package store

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/kv"
)

// schemaNumber is the number of the layout below. It changes when a key changes its
// form; a new table, a new kind of due row or a new field of a record leaves it.
const schemaNumber = 1

// The layout of the store, schema 1. A key is the name of its table and then parts,
// a zero byte before each. A text part is never empty and holds no zero byte; <ms8>
// is an instant as 8 bytes and <n4> a number as 4 bytes, both big endian; <32> is 32
// bytes. So the order of the bytes is the order that is meant.
//
//	key                                       value
//	schema                                    schema number, 4 bytes
//	meta <name>                               as the owner of the name likes
//
//	secret <project> <name>                   record csms.Secret
//	value <secret id> <n4 version>            sealed value
//	domain <id>                               record Domain
//	project <id>                              record Project
//	user <id>                                 record User
//	policy <id>                               record Policy
//	agency <id>                               record Agency
//	group <id>                                record Group
//	access-key <access key>                   record AccessKey
//	token <32 hash>                           record Token
//	key <project> <id>                        record Key
//	secrets-config <domain> <project>         record SecretsConfig
//	event <project> <name>                    record csms.Event
//	grant <secret id>                         record csms.Grants
//	enterprise-project <domain> <id>          record EnterpriseProject
//	database-target <project> <instance id>   record csms.DatabaseTarget
//	outbox <secret id> <n4>                   record Outgoing, by number of message
//	topic <project> <name>                    record Topic
//	notification <project> <ms8> <n4> <id>    record NotificationRecord; time and
//	                                          number count down, so the newest is first
//	task <id>                                 record csms.Task
//
//	secret-id <id>                            index rows: each holds the key of the
//	secret-event <project> <event> <name>     record it is derived from
//	secret-instance <project> <32> <name>     SHA-256 of the instance id
//	secret-tag <project> <key> <32> <name>    SHA-256 of the value of the tag
//	domain-name <name>
//	enterprise-project-name <domain> <name>
//	project-name <domain> <name>
//	user-name <domain> <name>
//	policy-name <domain> <name>
//	agency-name <domain> <name>
//	group-name <domain> <name>
//	group-user <group id> <user id>           the record is that of the user
//	access-key-user <user id> <access key>
//	key-alias <project> <alias>
//	topic-id <id>
//	due <ms8> <kind> <subject> <n4>           n4 is a version number, or 0
//	task-list <project> <name> <status> <ms8> <id>  name of the secret and status, or * for
//	                                          all; time counts down
//	task-running <secret id>
//	task-due <ms8> <id>                       of a running task: its next try
//
//	secret-count <project>                    number of secrets, 4 bytes; none is 0
//	event-count <project> <event>             number of secrets that subscribe to it
//	tag-count <project> <key> <32>            number of secrets with that value of the tag
//	task-count <project> <name> <status>      number of tasks in the list of that name
//
// Reserved for what is to come, so that no other use takes the name: lease.
type table string

const (
	tableSchema table = "schema"
	tableMeta   table = "meta"

	tableSecret    table = "secret"
	tableValue     table = "value"
	tableDomain    table = "domain"
	tableProject   table = "project"
	tableUser      table = "user"
	tablePolicy    table = "policy"
	tableAgency    table = "agency"
	tableGroup     table = "group"
	tableAccessKey table = "access-key"
	tableToken     table = "token"
	tableKey       table = "key"
	tableConfig    table = "secrets-config"

	tableEvent        table = "event"
	tableGrant        table = "grant"
	tableOutbox       table = "outbox"
	tableNotification table = "notification"
	tableTask         table = "task"
	tableTopic        table = "topic"

	tableEnterprise     table = "enterprise-project"
	tableEnterpriseName table = "enterprise-project-name"

	tableTarget table = "database-target"

	tableSecretID       table = "secret-id"
	tableSecretEvent    table = "secret-event"
	tableSecretInstance table = "secret-instance"
	tableSecretTag      table = "secret-tag"
	tableDomainName     table = "domain-name"
	tableProjectName    table = "project-name"
	tableUserName       table = "user-name"
	tablePolicyName     table = "policy-name"
	tableAgencyName     table = "agency-name"
	tableGroupName      table = "group-name"
	tableGroupUser      table = "group-user"
	tableAccessKeyUser  table = "access-key-user"
	tableKeyAlias       table = "key-alias"
	tableTopicID        table = "topic-id"
	tableDue            table = "due"
	tableTaskList       table = "task-list"
	tableTaskRunning    table = "task-running"
	tableTaskDue        table = "task-due"

	tableSecretCount table = "secret-count"
	tableEventCount  table = "event-count"
	tableTagCount    table = "tag-count"
	tableTaskCount   table = "task-count"
)

// part is the form of one part of a key.
type part uint8

const (
	text part = iota
	number
	instant
	digest
)

// layouts is the table above for the machine: what follows the name of each table.
var layouts = map[table][]part{
	tableSchema: {},
	tableMeta:   {text},

	tableSecret:    {text, text},
	tableValue:     {text, number},
	tableDomain:    {text},
	tableProject:   {text},
	tableUser:      {text},
	tablePolicy:    {text},
	tableAgency:    {text},
	tableGroup:     {text},
	tableAccessKey: {text},
	tableToken:     {digest},
	tableKey:       {text, text},
	tableConfig:    {text, text},

	tableEvent:        {text, text},
	tableGrant:        {text},
	tableOutbox:       {text, number},
	tableNotification: {text, instant, number, text},
	tableTask:         {text},
	tableTopic:        {text, text},

	tableEnterprise:     {text, text},
	tableEnterpriseName: {text, text},

	tableTarget: {text, text},

	tableSecretID:       {text},
	tableSecretEvent:    {text, text, text},
	tableSecretInstance: {text, digest, text},
	tableSecretTag:      {text, text, digest, text},
	tableDomainName:     {text},
	tableProjectName:    {text, text},
	tableUserName:       {text, text},
	tablePolicyName:     {text, text},
	tableAgencyName:     {text, text},
	tableGroupName:      {text, text},
	tableGroupUser:      {text, text},
	tableAccessKeyUser:  {text, text},
	tableKeyAlias:       {text, text},
	tableTopicID:        {text},
	tableDue:            {instant, text, text, number},
	tableTaskList:       {text, text, text, instant, text},
	tableTaskRunning:    {text},
	tableTaskDue:        {instant, text},

	tableSecretCount: {text},
	tableEventCount:  {text, text},
	tableTagCount:    {text, text, digest},
	tableTaskCount:   {text, text, text},
}

// indexTables are the tables whose rows are derived from records.
var indexTables = []table{
	tableSecretID, tableSecretEvent, tableSecretInstance, tableSecretTag, tableDomainName, tableProjectName,
	tableUserName, tablePolicyName, tableGroupName, tableGroupUser, tableAgencyName, tableAccessKeyUser, tableKeyAlias,
	tableTopicID, tableDue, tableEnterpriseName,
	tableTaskList, tableTaskRunning, tableTaskDue,
}

// counterTables are the tables of counters, and countedTables those whose keys they
// count.
var (
	counterTables = []table{tableSecretCount, tableEventCount, tableTagCount, tableTaskCount}
	countedTables = []table{tableSecret, tableSecretEvent, tableSecretTag, tableTaskList}
)

// key is a key under construction: start, then one method per part. A part that the
// layout does not allow, or a key over kv.MaxKey, makes it nil, and nil it stays:
// such a key names nothing. So a look-up by text from outside cannot reach a row of
// another place.
type key []byte

// start begins a key of table t in the memory of dst.
func start(dst []byte, t table) key { return append(dst, t...) }

func (k key) text(s string) key {
	if s == "" || strings.IndexByte(s, 0) >= 0 || !k.fits(len(s)) {
		return nil
	}
	return append(append(k, 0), s...)
}

func (k key) number(n int) key {
	if n < 0 || int64(n) > math.MaxUint32 || !k.fits(4) {
		return nil
	}
	return binary.BigEndian.AppendUint32(append(k, 0), uint32(n))
}

// instant appends t; an instant before 1970 counts as 1970.
func (k key) instant(t csms.Millis) key {
	if !k.fits(8) {
		return nil
	}
	return binary.BigEndian.AppendUint64(append(k, 0), uint64(max(t, 0)))
}

func (k key) digest(d *[32]byte) key {
	if !k.fits(len(d)) {
		return nil
	}
	return append(append(k, 0), d[:]...)
}

// fits reports whether k takes a part of n bytes.
func (k key) fits(n int) bool { return k != nil && len(k)+1+n <= kv.MaxKey }

// under returns the range of all keys that have k and at least one part more.
func (k key) under() kv.Range {
	if k == nil {
		return kv.Range{}
	}
	return kv.Prefix(append(k[:len(k):len(k)], 0))
}

// after returns the part of r that follows the key k+marker, where k is what r was
// made under and the marker is text from outside: it need not name a key.
func after(r kv.Range, marker string) kv.Range {
	if marker == "" || len(r.To) == 0 {
		return r
	}
	r.From = append(append(r.From[:len(r.From):len(r.From)], marker...), 0)
	return r
}

// all returns the range of every key of table t with parts.
func (t table) all() kv.Range { return start(nil, t).under() }

// tableOf returns the table that k claims to be of.
func tableOf(k []byte) table {
	name, _, _ := strings.Cut(string(k), "\x00")
	return table(name)
}

// isOf reports whether k is of table t.
func isOf(k key, t table) bool {
	return len(k) > len(t) && k[len(t)] == 0 && string(k[:len(t)]) == string(t)
}

// parsed is a key taken apart. A layout has at most one instant, number and digest.
type parsed struct {
	table  table
	texts  []string
	at     csms.Millis
	number int
	digest [32]byte
}

var errKeyForm = errors.New("store: key has not the form of its table")

// parseKey takes a key of a known table apart.
func parseKey(k []byte) (parsed, error) {
	p := parsed{table: tableOf(k)}
	layout, known := layouts[p.table]
	if !known || len(k) > kv.MaxKey {
		return p, errKeyForm
	}
	rest := k[len(p.table):]
	for _, form := range layout {
		n, ok := p.take(form, rest)
		if !ok {
			return p, errKeyForm
		}
		rest = rest[n:]
	}
	if len(rest) > 0 {
		return p, errKeyForm
	}
	return p, nil
}

// take reads the part at the start of rest and returns its length with the zero byte.
func (p *parsed) take(form part, rest []byte) (n int, ok bool) {
	size := map[part]int{number: 4, instant: 8, digest: 32}[form]
	if len(rest) < 1+size || rest[0] != 0 {
		return 0, false
	}
	body := rest[1:]
	switch form {
	case number:
		p.number = int(binary.BigEndian.Uint32(body))
	case instant:
		p.at = csms.Millis(binary.BigEndian.Uint64(body))
	case digest:
		p.digest = [32]byte(body)
	default:
		s, _, _ := strings.Cut(string(body), "\x00")
		p.texts, size = append(p.texts, s), len(s)
		return 1 + size, size > 0
	}
	return 1 + size, true
}

// show returns k for the eye: parts after slashes, numbers in digits, bytes in hex.
// A key of no known form is shown in quotes.
func show(k []byte) string {
	p, err := parseKey(k)
	if err != nil {
		return strconv.QuoteToASCII(string(k))
	}
	var b strings.Builder
	b.WriteString(string(p.table))
	texts := p.texts
	for _, form := range layouts[p.table] {
		b.WriteByte('/')
		switch form {
		case number:
			fmt.Fprint(&b, p.number)
		case instant:
			fmt.Fprint(&b, int64(p.at))
		case digest:
			b.WriteString(hex.EncodeToString(p.digest[:]))
		default:
			b.WriteString(texts[0])
			texts = texts[1:]
		}
	}
	return b.String()
}

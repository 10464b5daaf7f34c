package backup

import (
	"encoding/binary"
	"math"

	"coffer/internal/csms"
)

const payloadFormat = 1

// kinds are the kinds of values by their number in a payload.
var kinds = [...]csms.Kind{csms.Text, csms.Binary}

// appendPayload appends the content in the clear. A text has its length in front, as
// four bytes; numbers have four bytes and times eight, all big endian; a flag is a
// byte, 0 or 1.
//
//	format, 1 byte
//	name, type, KMS key id, description
//	flag automatic rotation; period, config, URN of the function
//	last version number; number of versions, and of each:
//	    number, create time, expire time, flag expired, kind (0 text, 1 binary), value
//	number of labels, and of each: name, version number, update time
//
// It is written by hand, so that values are copied just once, into memory that the
// caller can clear.
func appendPayload(dst []byte, c *Content) []byte {
	dst = append(dst, payloadFormat)
	dst = appendText(dst, c.Name)
	dst = appendText(dst, string(c.Type))
	dst = appendText(dst, c.KMSKeyID)
	dst = appendText(dst, c.Description)
	dst = append(dst, flag(c.Rotation.Auto))
	dst = appendText(dst, c.Rotation.Period)
	dst = appendText(dst, c.Rotation.Config)
	dst = appendText(dst, c.Rotation.FuncURN)
	dst = appendNumber(dst, c.LastVersion)
	dst = appendNumber(dst, len(c.Versions))
	for i, v := range c.Versions {
		dst = appendNumber(dst, v.Number)
		dst = appendTime(dst, v.CreateTime)
		dst = appendTime(dst, v.ExpireTime)
		dst = append(dst, flag(v.Expired), flag(v.Kind == csms.Binary))
		dst = appendText(dst, c.Values[i])
	}
	dst = appendNumber(dst, len(c.Stages))
	for _, st := range c.Stages {
		dst = appendText(dst, st.Name)
		dst = appendNumber(dst, st.Version)
		dst = appendTime(dst, st.UpdateTime)
	}
	return dst
}

// payloadSize returns the length of the payload of c, so that it is built in one
// piece of memory.
func payloadSize(c *Content) int {
	const fixed = 1 + 7*4 + 1 + 3*4
	size := fixed + len(c.Name) + len(c.Type) + len(c.KMSKeyID) + len(c.Description) +
		len(c.Rotation.Period) + len(c.Rotation.Config) + len(c.Rotation.FuncURN)
	for _, value := range c.Values {
		size += 4 + 8 + 8 + 2 + 4 + len(value)
	}
	for _, st := range c.Stages {
		size += 4 + len(st.Name) + 4 + 8
	}
	return size
}

func appendText[T ~string | ~[]byte](dst []byte, text T) []byte {
	return append(appendNumber(dst, len(text)), text...)
}

func appendNumber(dst []byte, n int) []byte { return binary.BigEndian.AppendUint32(dst, uint32(n)) }

func appendTime(dst []byte, t csms.Millis) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t))
}

func flag(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// parsePayload reads a payload; the values of the content point into it. What is no
// payload, or holds no secret that can exist, is ErrDamaged.
func parsePayload(b []byte) (*Content, error) {
	r := reader{rest: b}
	if r.byte() != payloadFormat {
		return nil, ErrDamaged
	}
	c := &Content{raw: b}
	c.Name, c.Type, c.KMSKeyID, c.Description = r.text(), csms.Type(r.text()), r.text(), r.text()
	c.Rotation.Auto = r.flag()
	c.Rotation.Period, c.Rotation.Config, c.Rotation.FuncURN = r.text(), r.text(), r.text()
	c.LastVersion = r.number()
	for range r.count(csms.MaxVersions) {
		v := csms.Version{Number: r.number(), CreateTime: r.time(), ExpireTime: r.time(), Expired: r.flag(), Kind: r.kind()}
		c.Versions = append(c.Versions, v)
		c.Values = append(c.Values, r.bytes())
	}
	for range r.count(csms.MaxStages) {
		c.Stages = append(c.Stages, csms.Stage{Name: r.text(), Version: r.number(), UpdateTime: r.time()})
	}
	if r.bad || len(r.rest) > 0 || c.Validate() != nil {
		return nil, ErrDamaged
	}
	return c, nil
}

// reader takes a payload apart. Once something is missing or wrong, it is bad and
// reads nothing but zeros.
type reader struct {
	rest []byte
	bad  bool
}

// take returns the next n bytes, or as many zeros where they are not there.
func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.rest) {
		r.bad, r.rest = true, nil
		return make([]byte, min(n, 8))
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte { return r.take(1)[0] }

func (r *reader) flag() bool {
	b := r.byte()
	r.bad = r.bad || b > 1
	return b == 1
}

func (r *reader) kind() csms.Kind { return kinds[flag(r.flag())] }

func (r *reader) number() int { return int(binary.BigEndian.Uint32(r.take(4))) }

// count returns the number of items that follow, which is at most limit.
func (r *reader) count(limit int) int {
	n := r.number()
	if n > limit {
		r.bad = true
		return 0
	}
	return n
}

func (r *reader) time() csms.Millis {
	t := binary.BigEndian.Uint64(r.take(8))
	if t > math.MaxInt64 {
		r.bad = true
		return 0
	}
	return csms.Millis(t)
}

func (r *reader) bytes() []byte {
	n := r.number()
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	return r.take(n)
}

func (r *reader) text() string { return string(r.bytes()) }

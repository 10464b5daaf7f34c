package rotation

import (
	"bytes"
	"encoding/binary"
	"io"
)

// dialect is as much of a protocol as a proxy needs to see the steps of a rotation in it,
// without TLS.
type dialect struct {
	change   []byte                    // is in the statement that changes a password, and in no other
	header   func(first bool) int      // length of what tells the length of a message of the client
	length   func(header []byte) int   // of the whole message
	accepted func(message []byte) bool // the server has let somebody in
}

// postgreSQL: a type and a length that counts itself. Only the first message of a client
// has no type.
var postgreSQL = dialect{
	change: []byte("ALTER ROLE"),
	header: func(first bool) int {
		if first {
			return 4
		}
		return 5
	},
	length: func(header []byte) int {
		at := len(header) - 4
		return at + int(binary.BigEndian.Uint32(header[at:]))
	},
	accepted: func(m []byte) bool { return m[0] == 'R' && bytes.Equal(m[5:], []byte{0, 0, 0, 0}) },
}

// mySQL: three bytes of length and a number. The server lets somebody in by an OK, which
// nothing before it begins like.
var mySQL = dialect{
	change: []byte("ALTER USER"),
	header: func(bool) int { return 4 },
	length: func(header []byte) int {
		return 4 + (int(header[0]) | int(header[1])<<8 | int(header[2])<<16)
	},
	accepted: func(m []byte) bool { return len(m) > 4 && m[4] == 0 },
}

// read returns the next message. The first one of a client may have another form.
func (d dialect) read(from io.Reader, first bool) ([]byte, error) {
	message := make([]byte, d.header(first))
	if _, err := io.ReadFull(from, message); err != nil {
		return nil, err
	}
	rest := make([]byte, max(0, d.length(message)-len(message)))
	_, err := io.ReadFull(from, rest)
	return append(message, rest...), err
}

package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
)

var (
	errOtherStream = errors.New("the subject belongs to another stream")
	errTooLarge    = errors.New("the stream takes no message of this size")
)

// Codes of refusals of JetStream that no repetition changes.
const (
	codeOtherStream = 10060 // expected stream does not match
	codeTooLarge    = 10054 // message size exceeds maximum allowed
)

// acknowledgement is the answer of a stream to a publication. A duplicate has one of
// its own, and is as good.
type acknowledgement struct {
	Stream string `json:"stream"`
	Seq    uint64 `json:"seq"`
	Error  *struct {
		Code        int    `json:"err_code"`
		Description string `json:"description"`
	} `json:"error"`
}

// publishToStream publishes msg and waits until the stream has stored it.
func publishToStream(ctx context.Context, conn *nats.Conn, msg *nats.Msg, stream string) error {
	msg.Header.Set(nats.ExpectedStreamHdr, stream)
	reply, err := conn.RequestMsgWithContext(ctx, msg)
	if errors.Is(err, nats.ErrNoResponders) {
		return errors.New("no stream takes the subject")
	}
	if err != nil {
		return err
	}
	return readAcknowledgement(reply.Data, stream)
}

func readAcknowledgement(data []byte, stream string) error {
	var ack acknowledgement
	if err := json.Unmarshal(data, &ack); err != nil {
		return errors.New("what answered is no stream")
	}
	switch {
	case ack.Error == nil && ack.Stream == stream && ack.Seq > 0:
		return nil
	case ack.Error == nil && ack.Stream == "":
		return errors.New("what answered is no stream")
	case ack.Error == nil, ack.Error.Code == codeOtherStream:
		return fmt.Errorf("%w: stream %s is expected", errOtherStream, stream)
	case ack.Error.Code == codeTooLarge:
		return fmt.Errorf("%w: %s", errTooLarge, ack.Error.Description)
	default:
		return fmt.Errorf("the stream answers %d: %s", ack.Error.Code, ack.Error.Description)
	}
}

package httpapi

import "context"

// requestContext is the context of a request that knows its request id, so that
// whoever logs on its behalf can name it (W6). Identity is never in a context.
type requestContext struct {
	context.Context //nolint:containedctx // it is a context
	id              string
}

type requestIDKey struct{}

// Value returns the request id for requestIDKey.
func (c *requestContext) Value(key any) any {
	if key == (requestIDKey{}) {
		return c.id
	}
	return c.Context.Value(key)
}

// RequestID returns the id of the request that ctx belongs to, "" for none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

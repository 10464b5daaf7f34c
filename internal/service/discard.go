package service

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/store"
)

// discardOld has the source forget the password before that of a task that has
// succeeded, if the source keeps it. Where somebody may be using it, because SYSCURRENT
// was moved or a later task was begun, it stays: the next rotation replaces it.
func (x *rotation) discardOld(ctx context.Context) error {
	cause := x.tryDiscard(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	if cause != nil {
		x.s.log.WarnContext(ctx, "the password before a rotation is still there; it is discarded later",
			slog.String("project_id", x.task.ProjectID), slog.String("secret", x.task.SecretName), slog.String("task_id", x.task.ID),
			slog.String("code", string(rotate.Explain(cause).Code)), slog.Any("error", cause))
	}
	err := x.note(ctx, func(_ *store.Tx, task *csms.Task, _ *csms.Secret, now csms.Millis) error {
		if cause == nil {
			task.Discarded()
		} else {
			task.DiscardLater(now)
		}
		return nil
	})
	if errors.Is(err, errSuperseded) {
		return nil
	}
	return err
}

func (x *rotation) tryDiscard(ctx context.Context) error {
	sec, err := x.s.store.SecretByID(ctx, x.task.SecretID)
	if csms.CodeOf(err) == csms.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if sec.Gone(x.s.now()) || !x.task.MayDiscard(sec) {
		return nil
	}
	r := x.s.rotationOf(x.task, sec)
	if x.engine, err = x.s.engines.For(ctx, r); err != nil {
		return err
	}
	keeper, ok := x.engine.(rotate.Keeper)
	if !ok {
		return nil
	}
	return x.withValues(ctx, sec, func(v *rotate.Values) error { return keeper.Discard(ctx, r, v) })
}

// turns lets one goroutine at a time have a key. The zero value works.
type turns struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the key is free again
}

// take waits for its turn and returns what ends it.
func (t *turns) take(key string) (release func()) {
	for {
		t.mu.Lock()
		wait, taken := t.held[key]
		if !taken {
			break
		}
		t.mu.Unlock()
		<-wait
	}
	defer t.mu.Unlock()
	if t.held == nil {
		t.held = map[string]chan struct{}{}
	}
	done := make(chan struct{})
	t.held[key] = done
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.held, key)
		close(done)
	}
}

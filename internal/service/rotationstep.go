package service

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// rotation is one try of a task under way.
type rotation struct {
	s      *Service
	task   *csms.Task    // as it was last written
	engine rotate.Engine // nil until a step needs it

	doubt   bool // whether the source may have the new value from an earlier try
	refused bool // the source was found not to have it, after all that was asked of it
}

// carryOut goes on from the last step that is written down, to the end.
func (x *rotation) carryOut(ctx context.Context) error {
	for x.task.Status == csms.TaskRunning {
		if err := x.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// step does what comes after the last step.
func (x *rotation) step(ctx context.Context) error {
	if x.task.Step == csms.StepVerified {
		return x.promote(ctx)
	}
	sec, r, err := x.prepare(ctx)
	if err != nil {
		return err
	}
	account, stores := x.engine.(rotate.Account)
	switch {
	case x.task.Step == "":
		if err := checkEnabled(sec); err != nil {
			return err
		}
		return x.note(ctx, x.choose)
	case !stores:
		return x.call(ctx, sec, r)
	case x.task.Step == csms.StepChosen:
		return x.storePending(ctx, sec, r, account)
	case x.task.Step == csms.StepPending:
		return x.withValues(ctx, sec, func(v *rotate.Values) error { return x.change(ctx, sec, r, account, v) })
	case x.task.Step == csms.StepChanged:
		return x.withValues(ctx, sec, func(v *rotate.Values) error {
			return x.done(ctx, csms.StepVerified, x.verify(ctx, r, account, v))
		})
	default:
		return errors.New("the task is at an unknown step")
	}
}

// prepare returns the secret and what an engine is told of it, and finds the engine.
func (x *rotation) prepare(ctx context.Context) (*csms.Secret, *rotate.Rotation, error) {
	t := x.task
	sec, err := x.s.store.SecretByID(ctx, t.SecretID)
	switch {
	case csms.CodeOf(err) == csms.CodeNotFound || err == nil && sec.Gone(x.s.now()):
		return nil, nil, secretIsGone(t)
	case err != nil:
		return nil, nil, err
	}
	r := x.s.rotationOf(t, sec)
	if x.engine == nil {
		x.engine, err = x.s.engines.For(ctx, r)
	}
	return sec, r, err
}

// rotationOf returns what an engine is told of a task of sec.
func (s *Service) rotationOf(t *csms.Task, sec *csms.Secret) *rotate.Rotation {
	r := &rotate.Rotation{
		TaskID: t.ID, Attempt: t.Attempt, OperateType: t.OperateType,
		Region: s.region, DomainID: t.DomainID, ProjectID: t.ProjectID,
		SecretID: sec.ID, SecretName: sec.Name, SecretType: sec.Type, FuncURN: t.FuncURN,
		Config: sec.Rotation.Config, Instance: sec.Instance(),
	}
	if t.Current != 0 {
		r.CurrentVersion = csms.VersionID(t.Current)
	}
	if t.Pending != 0 {
		r.PendingVersion = csms.VersionID(t.Pending)
	}
	return r
}

func checkEnabled(sec *csms.Secret) error {
	if sec.State == csms.Enabled {
		return nil
	}
	return rotate.Finalf(rotate.CodeSecretNotEnabled, "The secret %s is %s, not ENABLED.", sec.Name, sec.State)
}

func secretIsGone(t *csms.Task) error {
	return rotate.Finalf(rotate.CodeSecretNotFound, "The secret %s does not exist any more.", t.SecretName)
}

func (x *rotation) choose(_ *store.Tx, task *csms.Task, sec *csms.Secret, _ csms.Millis) error {
	if sec == nil {
		return secretIsGone(task)
	}
	task.Choose(sec)
	return nil
}

// done writes down that a step is done, unless err says that it is not.
func (x *rotation) done(ctx context.Context, step csms.RotationStep, err error) error {
	if err != nil {
		return err
	}
	return x.note(ctx, func(_ *store.Tx, task *csms.Task, _ *csms.Secret, _ csms.Millis) error {
		task.Step = step
		return nil
	})
}

// call has an engine that stores by itself rotate the secret. If SYSCURRENT has moved
// since the account was chosen, that was done before the last crash, or by somebody else
// with the same result.
func (x *rotation) call(ctx context.Context, sec *csms.Secret, r *rotate.Rotation) error {
	if !x.task.Applied(sec) {
		if err := checkEnabled(sec); err != nil {
			return err
		}
		if err := x.engine.Change(ctx, r, nil); err != nil {
			return err
		}
	}
	return x.note(ctx, func(tx *store.Tx, task *csms.Task, sec *csms.Secret, now csms.Millis) error {
		if sec == nil {
			return secretIsGone(task)
		}
		if !task.Applied(sec) {
			return rotate.Failf(rotate.CodeNotApplied, "The function reported success, and SYSCURRENT of %s is still %s.", sec.Name, r.CurrentVersion)
		}
		return x.succeed(tx, task, sec, now)
	})
}

// change has the source take the new value. Where the secret was disabled, or its labels
// were moved, since that value was stored, the source decides: a password that it has is
// brought to its end, one that it does not have is given up. So is it asked after an
// answer that leaves the outcome open.
func (x *rotation) change(ctx context.Context, sec *csms.Secret, r *rotate.Rotation, account rotate.Account, v *rotate.Values) error {
	disabled := checkEnabled(sec)
	if disabled != nil || x.task.Moved(sec) {
		err := x.verify(ctx, r, account, v)
		switch {
		case !x.refused:
			return x.done(ctx, csms.StepVerified, err)
		case disabled != nil:
			return disabled
		default:
			x.doubt, x.refused = false, false
			return x.note(ctx, x.chooseAnew)
		}
	}
	if !x.task.Unsure {
		if err := x.note(ctx, func(_ *store.Tx, task *csms.Task, _ *csms.Secret, _ csms.Millis) error {
			task.Unsure = true
			return nil
		}); err != nil {
			return err
		}
	}
	err := account.Change(ctx, r, v)
	x.refused = false
	if err != nil && rotate.Explain(err).Unsure && x.verify(ctx, r, account, v) == nil {
		return x.done(ctx, csms.StepVerified, nil)
	}
	return x.done(ctx, csms.StepChanged, err)
}

// verify logs in with the new value and remembers a refusal.
func (x *rotation) verify(ctx context.Context, r *rotate.Rotation, account rotate.Account, v *rotate.Values) error {
	err := account.Verify(ctx, r, v)
	x.refused = err != nil && rotate.Explain(err).Code == rotate.CodeLoginRefused
	return err
}

func (x *rotation) chooseAnew(_ *store.Tx, task *csms.Task, sec *csms.Secret, _ csms.Millis) error {
	if sec == nil {
		return secretIsGone(task)
	}
	task.ChooseAnew(sec)
	return nil
}

// storePending seals the new value as a version without any label but that of the task,
// or takes over the one that a failed task has left.
func (x *rotation) storePending(ctx context.Context, sec *csms.Secret, r *rotate.Rotation, account rotate.Account) error {
	if err := checkEnabled(sec); err != nil {
		return err
	}
	if x.task.Moved(sec) {
		return x.note(ctx, x.choose)
	}
	if len(sec.PendingTasks()) > 0 {
		err := x.note(ctx, x.takeOver)
		if x.doubt = x.task.Unsure; err != nil || x.task.Step == csms.StepPending {
			return err
		}
	}
	kind, base, err := x.open(ctx, sec, x.task.Base)
	if err != nil {
		return err
	}
	defer base.Wipe()
	if err := x.checkPair(ctx, sec, r, base); err != nil {
		return err
	}
	value, err := account.NewValue(ctx, r, base)
	if err != nil {
		return err
	}
	defer value.Wipe()
	key, err := x.s.sealer.Key(ctx, sec.ProjectID, sec.KMSKeyID)
	if err != nil {
		return keyError(err, sec.KMSKeyID)
	}
	p, err := x.s.sealer.Prepare(ctx, key, binding(sec, 0, kind))
	if err != nil {
		return keyError(err, key.ID)
	}
	defer p.Wipe()
	return x.note(ctx, func(tx *store.Tx, task *csms.Task, sec *csms.Secret, now csms.Millis) error {
		return addPending(tx, task, sec, kind, p, value, now)
	})
}

// checkPair refuses a MultiUser secret whose two values are of one account.
func (x *rotation) checkPair(ctx context.Context, sec *csms.Secret, r *rotate.Rotation, base csms.Plaintext) error {
	pair, ok := x.engine.(rotate.Pair)
	if !ok || base == nil || r.Instance.SecretSubType != csms.MultiUser {
		return nil
	}
	_, current, err := x.open(ctx, sec, x.task.Current)
	if err != nil {
		return err
	}
	defer current.Wipe()
	return pair.CheckPair(r, base, current)
}

// addPending stores the new value, unless another one is wanted by now.
func addPending(tx *store.Tx, task *csms.Task, sec *csms.Secret, kind csms.Kind, p *seal.Prepared, value csms.Plaintext, now csms.Millis) error {
	if sec == nil {
		return secretIsGone(task)
	}
	if err := checkEnabled(sec); err != nil {
		return err
	}
	if task.Moved(sec) {
		task.Choose(sec)
		return nil
	}
	v, pruned, err := sec.AddPending(task, kind, p.KeyID(), now)
	if err != nil {
		return err
	}
	if pruned != 0 {
		if err := tx.DeleteValue(sec.ID, pruned); err != nil {
			return err
		}
	}
	sealed, err := p.Seal(uint32(v.Number), value)
	if err != nil {
		return err
	}
	return tx.PutValue(sec.ID, v.Number, sealed)
}

// takeOver looks for what failed tasks of the secret have left behind.
func (x *rotation) takeOver(tx *store.Tx, task *csms.Task, sec *csms.Secret, now csms.Millis) error {
	if sec == nil {
		return secretIsGone(task)
	}
	for _, id := range sec.PendingTasks() {
		failed, err := tx.Task(id)
		if errors.Is(err, store.ErrNotFound) || err == nil && (failed.SecretID != sec.ID || failed.Status != csms.TaskFailed) {
			continue
		}
		if err != nil {
			return err
		}
		if failed.ErrorCode == string(rotate.CodePasswordPolicy) {
			continue // the same password would be refused again
		}
		if task.TakeOver(sec, failed, now) {
			return nil
		}
	}
	return nil
}

// withValues runs fn with the values that the rotation is about, and wipes them.
func (x *rotation) withValues(ctx context.Context, sec *csms.Secret, fn func(*rotate.Values) error) error {
	var v rotate.Values
	_, err := sec.Version(csms.VersionID(x.task.Base))
	if err == nil {
		if _, v.Base, err = x.open(ctx, sec, x.task.Base); err != nil {
			return err
		}
	}
	defer v.Base.Wipe()
	if _, v.New, err = x.open(ctx, sec, x.task.Pending); err != nil {
		return err
	}
	defer v.New.Wipe()
	return fn(&v)
}

// open returns the value of a version; nothing for version zero.
func (x *rotation) open(ctx context.Context, sec *csms.Secret, number int) (csms.Kind, csms.Plaintext, error) {
	return x.s.openNumber(ctx, sec, number)
}

// openNumber returns the value of a version of sec for an engine; nothing for version zero.
func (s *Service) openNumber(ctx context.Context, sec *csms.Secret, number int) (csms.Kind, csms.Plaintext, error) {
	if number == 0 {
		return csms.Text, nil, nil
	}
	version, err := sec.Version(csms.VersionID(number))
	if err != nil {
		return "", nil, err
	}
	sealed, err := s.store.Value(ctx, sec.ID, number)
	if err != nil {
		return "", nil, internalf(err, "reading the value of version %s of secret %s", version.ID(), sec.ID)
	}
	data, err := s.openSealed(ctx, VersionOf{sec, *version}, sealed)
	if err != nil {
		return "", nil, keyError(internalf(err, "opening %s of secret %s", version.ID(), sec.ID), version.KMSKeyID)
	}
	return version.Kind, data, nil
}

// promote makes the pending version the current one, and ends the task.
func (x *rotation) promote(ctx context.Context) error {
	return x.note(ctx, func(tx *store.Tx, task *csms.Task, sec *csms.Secret, now csms.Millis) error {
		if sec == nil {
			return secretIsGone(task)
		}
		if err := sec.Promote(task, now); err != nil {
			return err
		}
		h := happening{kind: csms.VersionCreated, versionID: csms.VersionID(task.Pending), detail: detailRotated, origin: originOfTask(task)}
		if err := x.s.fire(tx, sec, h, now); err != nil {
			return err
		}
		return x.succeed(tx, task, sec, now)
	})
}

// succeed ends the task and plans the next rotation (RO10).
func (x *rotation) succeed(tx *store.Tx, task *csms.Task, sec *csms.Secret, now csms.Millis) error {
	task.Succeed(now)
	sec.Rotated(now)
	current, err := sec.Version(csms.Latest)
	if err != nil {
		return err
	}
	return x.s.fire(tx, sec, happening{kind: csms.SecretRotated, versionID: current.ID(), detail: detailRotated, origin: originOfTask(task)}, now)
}

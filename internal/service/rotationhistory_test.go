package service_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/service"
	"coffer/internal/testkit"
)

// history is a secret that rotates, with its source, and what a naive reader of the rules
// expects to see of it. What a rotation does is not foretold: it is looked at when its
// task has ended, and has to be what the end says.
type history struct {
	t *testing.T
	k *testkit.Kit
	d *database

	stages  map[string]int // of users and the built-in ones
	values  map[int]string
	last    int // version number
	auto    bool
	period  csms.Millis
	next    csms.Millis
	rotated csms.Millis
	failed  int
	state   csms.State
	told    []string // messages, but for those of versions that users store
	task    *csms.Task

	stop     context.CancelFunc
	plan     map[string]string // what goes wrong in the try under way, by call
	codes    map[string]bool   // that the source has answered in it
	untaught map[string]bool   // accounts whose password was changed by others
	byHand   bool              // SYSCURRENT was put where it is by a user, and did not log in then
	problem  string            // what the source has seen that must not be

	opened map[int]string // values of versions, as they were read
	held   map[int]bool   // versions with a label that hold a password of the source, when it was last looked
	mine   bool           // whether a user has acted, or a task succeeded, since then
}

var faults = []string{"", "", "", "", "", "down", "lost", "denied", "policy", "crash", "crash after", "stolen"}

// older is how many versions there are that are of no use, so that versions are pruned.
const older = 14

func newHistory(t *testing.T, r *rapid.T) *history {
	h := &history{
		t: t, d: newDatabase(), stages: map[string]int{"SYSCURRENT": older + 2, "SYSPREVIOUS": older + 1}, values: map[int]string{},
		last: older + 2, period: 24 * hour, state: csms.Enabled, untaught: map[string]bool{}, opened: map[int]string{},
	}
	var stored []string
	for n := 1; n <= h.last; n++ {
		h.values[n] = []string{"nobody old", "app2 old", "app old"}[max(0, n-older)]
		stored = append(stored, h.values[n])
		h.told = append(h.told, fmt.Sprintf("SECRET_VERSION_CREATED v%d version created", n))
	}
	h.told[0] = "SECRET_VERSION_CREATED v1 secret created"
	h.d.keeps = rapid.Bool().Draw(r, "the source keeps two passwords")
	h.d.before, h.d.after = h.before, h.after
	subType := rapid.SampledFrom([]string{csms.SingleUser, csms.MultiUser}).Draw(r, "sub type")
	h.k = kitWith(t, h.d, subType, stored...)
	return h
}

// before is asked by the source ahead of each call.
func (h *history) before(call string) error {
	if call == "change" {
		h.checkStored()
	}
	switch h.plan[call] {
	case "down":
		return h.answer(&rotate.Error{Code: "HOST_UNREACHABLE", Msg: "it is down"})
	case "denied":
		return h.answer(&rotate.Error{Code: "PERMISSION_MISSING", Msg: "it may not", Final: true})
	case "policy":
		return h.answer(&rotate.Error{Code: rotate.CodePasswordPolicy, Msg: "too plain", Final: true})
	case "crash":
		h.stop()
		return context.Canceled
	case "stolen":
		for user := range h.d.accounts {
			h.d.accounts[user], h.untaught[user] = "stolen", true
			delete(h.d.old, user)
		}
	}
	return nil
}

func (h *history) after(call string) error {
	switch h.plan[call] {
	case "lost":
		return h.answer(lost("change").(*rotate.Error))
	case "crash after":
		h.stop()
		return context.Canceled
	}
	return nil
}

func (h *history) answer(e *rotate.Error) error {
	h.codes[string(e.Code)] = true
	return e
}

// checkStored: a password is sealed, under a label, before the source learns of it.
func (h *history) checkStored() {
	sec, err := h.k.Service.ShowSecret(context.Background(), owner(), "db")
	if err != nil || len(sec.PendingTasks()) == 0 {
		h.problem = fmt.Sprintf("the source is changed, and nothing is pending: %v", err)
	}
}

// refusedOr applies what a user does if it is not refused, which it must be unless ok.
func (h *history) refusedOr(r *rapid.T, err error, ok bool, apply func()) {
	switch {
	case err == nil && ok:
		h.mine = true
		apply()
	case err == nil || ok:
		r.Fatalf("state %s, running %v: %v", h.state, h.task, err)
	}
}

func (h *history) store(r *rapid.T) {
	value := rapid.SampledFrom([]string{"app", "app2"}).Draw(r, "account")
	if rapid.Bool().Draw(r, "its password") {
		value += " " + h.d.accounts[value]
	} else {
		value += fmt.Sprint(" wrong-", h.last)
	}
	v, err := h.k.Service.CreateSecretVersion(h.t.Context(), owner(), "db", service.NewVersion{Text: csms.Plaintext(value)})
	h.refusedOr(r, err, h.state == csms.Enabled, func() {
		if h.last = v.Version.Number; h.values[h.last] != "" {
			r.Fatalf("v%d is given twice", h.last)
		}
		h.values[h.last] = value
		h.stages["SYSPREVIOUS"], h.stages["SYSCURRENT"] = h.stages["SYSCURRENT"], h.last
		h.byHand = !h.d.logsIn(value)
		h.told = append(h.told, fmt.Sprintf("SECRET_VERSION_CREATED v%d version created", h.last))
	})
}

func (h *history) move(r *rapid.T) {
	stage := rapid.SampledFrom([]string{"SYSCURRENT", "SYSPREVIOUS", "mine"}).Draw(r, "stage")
	kept := slices.DeleteFunc(slices.Sorted(maps.Keys(h.values)), func(n int) bool {
		_, err := h.show(r).Version(csms.VersionID(n))
		return err != nil
	})
	version := rapid.SampledFrom(kept).Draw(r, "version")
	_, err := h.k.Service.UpdateSecretStage(h.t.Context(), owner(), "db", stage, csms.VersionID(version))
	h.refusedOr(r, err, h.state != csms.PendingDelete, func() {
		h.stages[stage] = version
		if stage == "SYSCURRENT" {
			h.byHand = !h.d.logsIn(h.values[version])
		}
	})
}

func (h *history) update(r *rapid.T) {
	p, auto, period := csms.Patch{}, h.auto, h.period
	if rapid.Bool().Draw(r, "change auto_rotation") {
		auto = rapid.Bool().Draw(r, "auto_rotation")
		p.AutoRotation = &auto
	}
	if rapid.Bool().Draw(r, "change rotation_period") {
		hours := rapid.SampledFrom([]int{4, 24, 48}).Draw(r, "hours")
		p.RotationPeriod, period = ptr(fmt.Sprintf("%dh", hours)), csms.Millis(hours)*hour
		if hours == 24 {
			p.RotationPeriod = ptr("1d")
		}
	}
	_, err := h.k.Service.UpdateSecret(h.t.Context(), owner(), "db", p)
	h.refusedOr(r, err, h.state != csms.PendingDelete, func() {
		if auto != h.auto || period != h.period {
			h.auto, h.period, h.failed = auto, period, 0
			h.plan0()
		}
	})
}

// plan0 plans a period from now.
func (h *history) plan0() {
	if h.next = 0; h.auto {
		h.next = h.k.Now() + h.period
	}
}

func (h *history) switchState(r *rapid.T) {
	var err error
	ok, to := true, csms.Enabled
	switch how := rapid.SampledFrom([]string{"schedule", "restore", "disable", "enable"}).Draw(r, "how"); how {
	case "schedule":
		_, err = h.k.Service.DeleteSecretForSchedule(h.t.Context(), owner(), "db", 30)
		ok, to = h.state != csms.PendingDelete, csms.PendingDelete
	case "restore":
		_, err = h.k.Service.RestoreSecret(h.t.Context(), owner(), "db")
		ok = h.state == csms.PendingDelete
	default:
		if how == "disable" {
			to = csms.Disabled
		}
		_, err = h.k.Service.SetSecretState(h.t.Context(), testkit.ProjectID, "db", to)
		ok = h.state != csms.PendingDelete
	}
	h.refusedOr(r, err, ok, func() { h.state = to })
}

func (h *history) rotate(r *rapid.T) {
	task, err := h.k.Service.RotateSecret(h.t.Context(), owner(), "db")
	h.refusedOr(r, err, h.state == csms.Enabled && h.task == nil, func() { h.task = task })
}

// wait moves the clock and has what is due begun: of a schedule that was missed one
// rotation, at most five minutes after its plan.
func (h *history) wait(r *rapid.T) {
	minutes := rapid.SampledFrom([]int{1, 4, 10, 35, 300, 1600}).Draw(r, "minutes")
	if h.state == csms.PendingDelete {
		minutes = min(minutes, 35) // or it would be gone in the end
	}
	h.k.Move(time.Duration(minutes) * time.Minute)
	if _, err := h.k.Service.RunDue(h.t.Context()); err != nil {
		r.Fatal(err)
	}
	planned := h.state == csms.Enabled && h.next != 0
	was, now := h.next, h.k.Now()
	sec := h.show(r)
	switch begun := h.running(r); {
	case h.task == nil && begun != nil:
		if !planned || was > now || begun.OperateType != csms.OperateAuto || begun.CreateTime < now {
			r.Fatalf("begun at %d though planned for %d: %+v", now, was, begun)
		}
		h.task = begun
		h.plan0()
	case h.task != nil && sec.Rotation.NextTime == now+hour/2 && planned && was <= now:
		h.next = now + hour/2
	case planned && was+5*60*1000 <= now:
		r.Fatalf("nothing was begun at %d though planned for %d", now, was)
	}
}

func (h *history) show(r *rapid.T) *csms.Secret {
	sec, err := h.k.Service.ShowSecret(h.t.Context(), owner(), "db")
	if err != nil {
		r.Fatal(err)
	}
	return sec
}

// running returns the running task; more than one are a failure.
func (h *history) running(r *rapid.T) (found *csms.Task) {
	_, page := tasks(h.t, h.k, service.TaskListing{})
	for _, task := range page.Items {
		if task.Status == csms.TaskRunning && found != nil {
			r.Fatalf("two running tasks: %+v and %+v", found, task)
		}
		if task.Status == csms.TaskRunning {
			found = task
		}
	}
	return found
}

// work carries out what is due, once, with something going wrong or not.
func (h *history) work(r *rapid.T) {
	h.plan = map[string]string{}
	for _, call := range []string{"new", "change", "verify", "discard"} {
		h.plan[call] = rapid.SampledFrom(faults).Draw(r, call)
	}
	h.run(r)
}

// run makes a try and compares how it ended with the rules of neighbours.md 3.5.
func (h *history) run(r *rapid.T) {
	ctx, cancel := context.WithCancel(h.t.Context())
	h.stop, h.codes = cancel, map[string]bool{}
	defer cancel()
	_, err := h.k.Service.RunTasks(ctx)
	crashed := ctx.Err() != nil
	if err != nil && !(crashed && errors.Is(err, context.Canceled)) {
		r.Fatal(err)
	}
	if h.problem != "" {
		r.Fatal(h.problem)
	}
	if h.task == nil {
		return
	}
	was, now := h.task, h.k.Now()
	task := taskByID(h.t, h.k, was.ID)
	due := was.NextTry <= now
	switch {
	case task.Status == csms.TaskSuccess && due && task.EndTime == now:
		h.succeeded(r, task)
	case task.Status == csms.TaskFailed && due && task.EndTime == now && h.explains(task):
		h.hasFailed(task)
	case task.Status != csms.TaskRunning || task.Attempt == was.Attempt && (due && !crashed || task.NextTry != was.NextTry):
		r.Fatalf("crashed %v, due %v, codes %v: %+v became %+v", crashed, due, h.codes, was, task)
	case task.Attempt == was.Attempt:
		h.task = task
	case task.Attempt != was.Attempt+1 || task.NextTry != now+[]csms.Millis{0, 0, 60_000, 300_000}[task.Attempt] || !h.explains(task):
		r.Fatalf("at %d after %v: %+v became %+v", now, h.codes, was, task)
	default:
		h.task = task
	}
}

// explains reports whether the source or the state of the secret is a reason for a
// failure, and for its being the last one.
func (h *history) explains(task *csms.Task) bool {
	sure := map[string]bool{"PERMISSION_MISSING": true, "PASSWORD_POLICY": true, "SECOND_ACCOUNT_MISSING": true, "SECRET_NOT_ENABLED": true}[task.ErrorCode]
	switch task.ErrorCode {
	case "SECRET_NOT_ENABLED":
		if h.state == csms.Enabled {
			return false
		}
	case "SECOND_ACCOUNT_MISSING":
		current, _, _ := strings.Cut(h.values[h.stages["SYSCURRENT"]], " ")
		previous, _, _ := strings.Cut(h.values[h.stages["SYSPREVIOUS"]], " ")
		if current != previous {
			return false
		}
	case "LOGIN_REFUSED":
		if h.plan["verify"] != "stolen" {
			return false
		}
	default:
		if !h.codes[task.ErrorCode] {
			return false
		}
	}
	return (task.Status == csms.TaskFailed) == (sure || task.Attempt == 3 && h.task.Attempt == 3)
}

// succeeded: a new version is current and logs in, the former one is SYSPREVIOUS (RO9).
func (h *history) succeeded(r *rapid.T, task *csms.Task) {
	sec := h.show(r)
	n := stagesOf(sec)["SYSCURRENT"]
	if h.values[n] != "" {
		r.Fatalf("v%d became current, which was stored before", n)
	}
	h.values[n] = h.read(r, n)
	h.stages["SYSPREVIOUS"], h.stages["SYSCURRENT"] = h.stages["SYSCURRENT"], n
	h.rotated, h.failed, h.task, h.byHand, h.mine = task.EndTime, 0, nil, false, true
	user, _, _ := strings.Cut(h.values[n], " ")
	h.untaught[user] = false
	h.plan0()
	h.told = append(h.told, fmt.Sprintf("SECRET_VERSION_CREATED v%d secret rotated", n), fmt.Sprintf("SECRET_ROTATED v%d secret rotated", n))
}

func (h *history) hasFailed(task *csms.Task) {
	h.failed, h.task = h.failed+1, nil
	detail := "SECRET_ROTATED_FAILED  rotation failed: " + task.ErrorCode
	switch {
	case h.auto && h.failed >= 3:
		h.auto, h.next = false, 0
		detail += "; automatic rotation is switched off after three failures in a row"
	case h.auto && task.Unsure:
		h.next = min(h.next, task.EndTime+hour/2)
	}
	h.told = append(h.told, detail)
}

func stagesOf(sec *csms.Secret) map[string]int {
	stages := map[string]int{}
	for _, st := range sec.Stages {
		stages[st.Name] = st.Version
	}
	return stages
}

// read opens a value, whatever the state of the secret, once.
func (h *history) read(r *rapid.T, n int) string {
	if value, known := h.opened[n]; known {
		return value
	}
	if h.state != csms.Enabled {
		h.enable(r)
		defer h.again(r)
	}
	v, err := h.k.Service.ShowSecretVersion(h.t.Context(), owner(), "db", csms.VersionID(n))
	if err != nil {
		r.Fatal(err)
	}
	h.opened[n] = string([]byte(v.Value.Data))
	return h.opened[n]
}

func (h *history) enable(r *rapid.T) {
	var err error
	if h.state == csms.PendingDelete {
		_, err = h.k.Service.RestoreSecret(h.t.Context(), owner(), "db")
	} else {
		_, err = h.k.Service.SetSecretState(h.t.Context(), testkit.ProjectID, "db", csms.Enabled)
	}
	if err != nil {
		r.Fatal(err)
	}
}

// again brings the secret back to the state that it has for users.
func (h *history) again(r *rapid.T) {
	var err error
	if h.state == csms.PendingDelete {
		_, err = h.k.Service.DeleteSecretForSchedule(h.t.Context(), owner(), "db", 30)
	} else {
		_, err = h.k.Service.SetSecretState(h.t.Context(), testkit.ProjectID, "db", h.state)
	}
	if err != nil {
		r.Fatal(err)
	}
}

// check compares what is seen of the secret with what is expected, and what the source
// lets in with what is stored.
func (h *history) check(r *rapid.T) {
	sec := h.show(r)
	stages := stagesOf(sec)
	maps.DeleteFunc(stages, func(name string, _ int) bool { return strings.HasPrefix(name, "PENDING-") })
	if diff := cmp.Diff(h.stages, stages); diff != "" {
		r.Fatalf("labels (-want +got):\n%s", diff)
	}
	rot := sec.Rotation
	if rot.Auto != h.auto || rot.NextTime != h.next || rot.Time != h.rotated || rot.FailedTasks != h.failed {
		r.Fatalf("at %d: %+v; want auto %v, next %d, time %d, failed %d", h.k.Now(), rot, h.auto, h.next, h.rotated, h.failed)
	}
	if next := sec.NextRotation(); next != 0 && (next != h.next || h.state != csms.Enabled) {
		r.Fatalf("next_rotation_time %d", next)
	}
	if diff := cmp.Diff(h.told, fired(h.t, h.k)); diff != "" {
		r.Fatalf("messages (-want +got):\n%s", diff)
	}
	h.checkPasswords(r, sec)
}

// checkPasswords: SYSCURRENT logs in unless a user has put there what does not, or the
// outcome of a task is open; then its pending version does. What the source has is stored
// under a label that nobody but users takes away.
func (h *history) checkPasswords(r *rapid.T, sec *csms.Secret) {
	held, stored, open := map[int]bool{}, map[string]bool{}, false
	for _, v := range sec.Versions {
		value := h.read(r, v.Number)
		stored[value] = true
		user, password, _ := strings.Cut(value, " ")
		if h.d.accounts[user] == password && len(sec.StagesOf(v.Number)) > 0 {
			held[v.Number] = true
		}
	}
	for _, id := range sec.PendingTasks() {
		task := taskByID(h.t, h.k, id)
		if task.Status == csms.TaskRunning || task.Unsure {
			open = open || h.d.logsIn(h.opened[task.Pending])
		}
	}
	current := h.values[h.stages["SYSCURRENT"]]
	user, _, _ := strings.Cut(current, " ")
	if !h.d.logsIn(current) && !h.byHand && !h.untaught[user] && !open {
		r.Fatalf("SYSCURRENT is %q and does not log in: %v, %v", current, h.d.accounts, h.d.old)
	}
	for user, password := range h.d.accounts {
		if !stored[user+" "+password] && !h.untaught[user] && !h.mine {
			r.Fatalf("the password of %s is lost: %v", user, h.d.accounts)
		}
		h.untaught[user] = h.untaught[user] || !stored[user+" "+password]
	}
	for n := range h.held {
		whose, password, _ := strings.Cut(h.opened[n], " ")
		if !held[n] && h.d.accounts[whose] == password && !h.mine {
			r.Fatalf("v%d holds a password of the source and has lost its label", n)
		}
	}
	h.held, h.mine = held, false
}

// finish: every task ends, and a secret whose current value is right rotates.
func (h *history) finish(r *rapid.T) {
	if h.state != csms.Enabled {
		h.enable(r)
		h.state = csms.Enabled
	}
	h.plan = nil
	for range 3 {
		h.k.Move(5 * time.Minute)
		h.run(r)
		h.check(r)
	}
	if h.task != nil {
		r.Fatalf("a task does not end: %+v", h.task)
	}
	for _, user := range []string{"app2", "app"} {
		_, err := h.k.Service.CreateSecretVersion(h.t.Context(), owner(), "db", service.NewVersion{Text: csms.Plaintext(user + " " + h.d.accounts[user])})
		if err != nil {
			r.Fatal(err)
		}
	}
	task := rotateSecret(h.t, h.k, "db")
	if got := ended(h.t, h.k, task.ID); got != "SUCCESS" || !h.d.logsIn(value(h.t, h.k, "db")) {
		r.Fatalf("the last task ends %s: %v", got, h.d.accounts)
	}
	if left := h.show(r).PendingTasks(); len(left) > 0 {
		r.Fatalf("pending labels are left: %v", left)
	}
}

// neighbours.md 3.5 and 4.2, RO8 to RO11: whatever users do, whatever fails and whenever
// the server is restarted, the rules of rotation hold.
func TestHistoriesOfRotations(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := newHistory(t, r)
		r.Repeat(map[string]func(*rapid.T){
			"":             h.check,
			"store":        h.store,
			"move":         h.move,
			"update":       h.update,
			"switch state": h.switchState,
			"rotate":       h.rotate,
			"rotate again": h.rotate,
			"wait":         h.wait,
			"wait more":    h.wait,
			"work":         h.work,
			"work more":    h.work,
			"work on":      h.work,
			"restart": func(r *rapid.T) {
				if err := h.k.Reopen(t.Context()); err != nil {
					r.Fatal(err)
				}
			},
		})
		h.finish(r)
	})
}

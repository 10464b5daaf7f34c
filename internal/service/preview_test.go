package service_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/rotate"
	"coffer/internal/service"
	"coffer/internal/testkit"
)

// window is an engine that shows what it is given for a preview.
type window struct {
	*database
	seen []string
}

func (*window) Binding() rotate.Binding {
	return rotate.Binding{Kind: rotate.BoundTarget, InstanceID: "i-1", Address: "db:1"}
}

func (w *window) Preview(_ context.Context, r *rotate.Rotation, base csms.Plaintext) *rotate.Preview {
	user, _ := account(base)
	w.seen = append(w.seen, r.CurrentVersion+" "+user)
	return &rotate.Preview{Account: user, Findings: []rotate.Finding{rotate.Found(rotate.CheckAccount, nil)}}
}

// RO9: a preview looks at the account that a rotation would change: that of SYSCURRENT
// for SingleUser, that of SYSPREVIOUS for MultiUser, which may be none. It leaves no trace.
func TestPreviewRotation(t *testing.T) {
	for subType, c := range map[string]struct {
		values     []string
		seen, base string
	}{
		csms.SingleUser: {[]string{"app old", "app2 old"}, "v2 app2", "v2"},
		csms.MultiUser:  {[]string{"app old", "app2 old"}, "v2 app", "v1"},
		"no second":     {[]string{"app old"}, "v1 ", ""},
	} {
		w := &window{database: newDatabase()}
		sub := subType
		if sub == "no second" {
			sub = csms.MultiUser
		}
		k := kitWith(t, w, sub, c.values...)
		before := show(t, k)
		p, err := k.Service.PreviewRotation(t.Context(), owner(), "db")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{c.seen}, w.seen); diff != "" || p.Base != c.base || p.Bound != w.Binding() || len(p.Findings) != 3 {
			t.Errorf("%s: %+v (-want +got):\n%s", subType, p, diff)
		}
		if diff := cmp.Diff(before, show(t, k), cmp.AllowUnexported(csms.Secret{}, csms.Version{})); diff != "" {
			t.Errorf("%s: the preview changed the secret (-before +after):\n%s", subType, diff)
		}
		checkTasks(t, k)
		if len(w.calls) != 0 {
			t.Errorf("%s: the engine was called: %q", subType, w.calls)
		}
	}
}

// A preview takes three rights, and the lack of any one is a refusal (ADR 9).
func TestPreviewTakesThreeRights(t *testing.T) {
	w := &window{database: newDatabase()}
	k := kitWith(t, w, csms.SingleUser, "app old")
	for lacking, doc := range map[string]string{
		"nothing":                `["csms::administer","csms:secret:rotate","csms:secret:getVersion"]`,
		"csms::administer":       `["csms:secret:rotate","csms:secret:getVersion"]`,
		"csms:secret:rotate":     `["csms::administer","csms:secret:getVersion"]`,
		"csms:secret:getVersion": `["csms::administer","csms:secret:rotate"]`,
	} {
		p, err := iam.ParsePolicy("p", []byte(`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":`+doc+`}]}`))
		if err != nil {
			t.Fatal(err)
		}
		who := &iam.Caller{DomainID: testkit.DomainID, ProjectID: testkit.ProjectID, UserID: "u", Policies: []*iam.Policy{p}}
		for _, name := range []string{"db", "none"} {
			_, err := k.Service.PreviewRotation(t.Context(), who, name)
			want := csms.CodeForbidden
			if lacking == "nothing" {
				want = map[string]csms.Code{"db": "", "none": csms.CodeSecretNotFound}[name]
			}
			if got := csms.CodeOf(err); got != want && (err != nil || want != "") {
				t.Errorf("without %s, %s: %v", lacking, name, err)
			}
		}
	}
	if len(w.seen) != 1 {
		t.Errorf("the engine looked %d times", len(w.seen))
	}
}

// What is told of tries names no secret: what began the task, how it is now, and why.
func TestTriesAreTold(t *testing.T) {
	d := newDatabase()
	d.before = func(call string) error {
		if call == "change" && len(d.calls) < 3 {
			return rotate.Failf("HOST_UNREACHABLE", "no")
		}
		return nil
	}
	var tries []service.Try
	k := testkit.New(t, testkit.Options{Engines: bound(d), OnTry: func(one service.Try) { tries = append(tries, one) }})
	in := rotating("db")
	in.Text = csms.Plaintext("app old")
	createRotating(t, k, in)
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	if running, oldest, err := k.Service.RotationBacklog(t.Context()); running != 1 || oldest != 0 || err != nil {
		t.Errorf("%d run, the oldest for %s: %v", running, oldest, err)
	}
	k.Move(63 * 1e9)
	if running, oldest, err := k.Service.RotationBacklog(t.Context()); running != 1 || oldest != 3e9 || err != nil {
		t.Errorf("%d run, the oldest for %s: %v", running, oldest, err)
	}
	runTasks(t, k, 1)
	want := []service.Try{
		{OperateType: csms.OperateManual, Status: csms.TaskRunning, Code: "HOST_UNREACHABLE"},
		{OperateType: csms.OperateManual, Status: csms.TaskSuccess, Took: 63e9},
	}
	if diff := cmp.Diff(want, tries); diff != "" {
		t.Errorf("tries (-want +got):\n%s", diff)
	}
}

package csms_test

import (
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
)

const (
	hour       = 3600 * second
	goodConfig = `{"InstanceId":"db-1","SecretSubType":"SingleUser"}`
)

func TestRotationPeriodLiesBetweenFourHoursAndAYear_RO1(t *testing.T) {
	for text, want := range map[string]csms.Millis{ // zero: refused
		"4h": 4 * hour, "240m": 4 * hour, "14400s": 4 * hour, "1d": day, "24h": day,
		"365d": 365 * day, "8760h": 365 * day, "525600m": 365 * day, "31536000s": 365 * day,
		"5h": 5 * hour, "241m": 4*hour + 60*second, "14401s": 4*hour + second, "004h": 4 * hour,
		"3h": 0, "239m": 0, "14399s": 0, "0d": 0, "366d": 0, "8761h": 0, "525601m": 0, "31536001s": 0,
		"": 0, "d": 0, "1": 0, "12": 0, "1D": 0, "1w": 0, "1 d": 0, " 1d": 0, "1d ": 0, "1d\n": 0, "-1d": 0, "+1d": 0,
		"1.5d": 0, "1d1h": 0, "d1": 0, "1é": 0, "١d": 0, "0x1d": 0, "1_0h": 0,
		"9223372036854775807d": 0, "9223372036854775808d": 0, "213503982335d": 0, // times 86400000 these leave 64 bits
		strings.Repeat("0", 48) + "4h": 4 * hour, strings.Repeat("0", 49) + "4h": 0, // 50 and 51 characters
	} {
		got, err := csms.ParseRotationPeriod(text)
		code := csms.CodeInvalid
		if want != 0 {
			code = ""
		}
		if csms.CodeOf(err) != code || got != want {
			t.Errorf("%q: got %d, %v, want %d and code %q", text, got, err, want, code)
		}
	}
}

func TestRotationRulesHold(t *testing.T) {
	config := func(c string) csms.Rotation { return csms.Rotation{Config: c} }
	padded := func(n int) string { // JSON text of n characters
		return goodConfig[:len(goodConfig)-1] + `,"x":"` + strings.Repeat("é", n-len(goodConfig)-len(`,"x":""`)) + `"}`
	}
	for _, c := range []struct {
		name string
		typ  csms.Type
		in   csms.Rotation
		want csms.Code
	}{
		{"RO1 a bad period while rotation is off", csms.Common, csms.Rotation{Period: "1h"}, csms.CodeInvalid},
		{"RO2 automatic without a period, COMMON", csms.Common, csms.Rotation{Auto: true}, csms.CodeInvalid},
		{"RO2 automatic with a period, COMMON", csms.Common, csms.Rotation{Auto: true, Period: "1d"}, ""},
		{"RO2 a period while rotation is off", csms.Common, csms.Rotation{Period: "1d"}, ""},
		{"RO2 automatic without a period, RDS-FG", csms.RDSFG, csms.Rotation{Auto: true, Config: goodConfig, FuncURN: "urn"}, csms.CodeInvalid},
		{"RO4 automatic without a function, RDS-FG", csms.RDSFG, csms.Rotation{Auto: true, Period: "1d", Config: goodConfig}, csms.CodeInvalid},
		{"RO4 automatic without a function, GaussDB-FG", csms.GaussDB, csms.Rotation{Auto: true, Period: "1d", Config: goodConfig}, csms.CodeInvalid},
		{"RO4 automatic with a function, RDS-FG", csms.RDSFG, csms.Rotation{Auto: true, Period: "1d", Config: goodConfig, FuncURN: "urn"}, ""},
		{"RO4 no function while rotation is off", csms.GaussDB, config(goodConfig), ""},
		{"RO4 COMMON needs no function", csms.Common, csms.Rotation{Auto: true, Period: "1d"}, ""},
		{"RO3 no config, RDS-FG", csms.RDSFG, config(""), csms.CodeInvalid},
		{"RO3 no config, GaussDB-FG", csms.GaussDB, config(""), csms.CodeInvalid},
		{"RO3 SingleUser", csms.GaussDB, config(goodConfig), ""},
		{"RO3 MultiUser", csms.RDSFG, config(`{"InstanceId":"db-1","SecretSubType":"MultiUser"}`), ""},
		{"RO3 members beside the two", csms.RDSFG, config(`{"a":[1],"InstanceId":"db-1","SecretSubType":"MultiUser","b":null}`), ""},
		{"RO3 another kind of user", csms.RDSFG, config(`{"InstanceId":"db-1","SecretSubType":"singleuser"}`), csms.CodeInvalid},
		{"RO3 no kind of user", csms.RDSFG, config(`{"InstanceId":"db-1"}`), csms.CodeInvalid},
		{"RO3 no instance", csms.RDSFG, config(`{"SecretSubType":"SingleUser"}`), csms.CodeInvalid},
		{"RO3 an empty instance", csms.RDSFG, config(`{"InstanceId":"","SecretSubType":"SingleUser"}`), csms.CodeInvalid},
		{"RO3 an instance that is a number", csms.RDSFG, config(`{"InstanceId":7,"SecretSubType":"SingleUser"}`), csms.CodeInvalid},
		{"RO3 an instance that is null", csms.RDSFG, config(`{"InstanceId":null,"SecretSubType":"SingleUser"}`), csms.CodeInvalid},
		{"RO3 member names in other cases", csms.RDSFG, config(`{"instanceid":"db-1","SECRETSUBTYPE":"SingleUser"}`), csms.CodeInvalid},
		{"RO3 null", csms.RDSFG, config(`null`), csms.CodeInvalid},
		{"RO3 a list", csms.RDSFG, config(`[` + goodConfig + `]`), csms.CodeInvalid},
		{"RO3 text after the object", csms.RDSFG, config(goodConfig + `x`), csms.CodeInvalid},
		{"RO3 a broken object", csms.RDSFG, config(goodConfig[:len(goodConfig)-1]), csms.CodeInvalid},
		{"RO3 1024 characters", csms.RDSFG, config(padded(1024)), ""},
		{"RO3 1025 characters", csms.RDSFG, config(padded(1025)), csms.CodeInvalid},
		{"RO3 COMMON accepts any text", csms.Common, config("not JSON"), ""},
		{"RO3 COMMON accepts 1024 characters", csms.Common, config(strings.Repeat("é", 1024)), ""},
		{"RO3 COMMON refuses 1025 characters", csms.Common, config(strings.Repeat("é", 1025)), csms.CodeInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := creation()
			in.Type, in.Rotation = c.typ, c.in
			wantCode(t, in.Validate(csms.DefaultLimits()), c.want)
		})
	}
}

func TestInstanceIsReadFromTheConfig_RO3(t *testing.T) {
	for _, c := range []struct {
		name string
		typ  csms.Type
		want csms.Instance
	}{
		{"RDS-FG is bound", csms.RDSFG, csms.Instance{InstanceID: "db-1", SecretSubType: "SingleUser"}},
		{"GaussDB-FG is bound", csms.GaussDB, csms.Instance{InstanceID: "db-1", SecretSubType: "SingleUser"}},
		{"COMMON keeps the config unused", csms.Common, csms.Instance{}},
		{"RDS does not rotate", csms.RDS, csms.Instance{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := creation()
			in.Type, in.Rotation.Config = c.typ, goodConfig
			s := csms.New(in, start)
			if diff := cmp.Diff(s.Instance(), c.want); diff != "" {
				t.Errorf("the instance (-got +want):\n%s", diff)
			}
			if s.Rotation.Config != goodConfig {
				t.Errorf("the config is kept as %q", s.Rotation.Config)
			}
		})
	}
}

func TestNextRotationIsPlanned(t *testing.T) {
	automatic := csms.Rotation{Auto: true, Period: "1d", Config: goodConfig, FuncURN: "urn"}
	manual := csms.Rotation{Period: "1d", Config: goodConfig, FuncURN: "urn"}
	for _, c := range []struct {
		name  string
		typ   csms.Type
		in    csms.Rotation
		patch csms.Patch // at start + 1 h
		want  csms.Millis
		code  csms.Code
	}{
		{"a period from the creation", csms.RDSFG, automatic, csms.Patch{}, start + day, ""},
		{"none while rotation is off", csms.RDSFG, manual, csms.Patch{}, 0, ""},
		{"none for COMMON", csms.Common, automatic, csms.Patch{}, 0, ""},
		{"switched on", csms.GaussDB, manual, csms.Patch{AutoRotation: ptr(true)}, start + hour + day, ""},
		{"switched on with another period", csms.GaussDB, manual, csms.Patch{AutoRotation: ptr(true), RotationPeriod: ptr("4h")}, start + 5*hour, ""},
		{"switched off", csms.RDSFG, automatic, csms.Patch{AutoRotation: ptr(false)}, 0, ""},
		{"another period", csms.RDSFG, automatic, csms.Patch{RotationPeriod: ptr("4h")}, start + 5*hour, ""},
		{"the same period keeps the plan", csms.RDSFG, automatic, csms.Patch{RotationPeriod: ptr("1d"), AutoRotation: ptr(true)}, start + day, ""},
		{"a description keeps the plan", csms.RDSFG, automatic, csms.Patch{Description: ptr("new")}, start + day, ""},
		{"another function keeps the plan", csms.RDSFG, automatic, csms.Patch{RotationFuncURN: ptr("urn-2")}, start + day, ""},
		{"RO2 the period is cleared while automatic", csms.RDSFG, automatic, csms.Patch{RotationPeriod: ptr("")}, start + day, csms.CodeInvalid},
		{"RO4 the function is cleared while automatic", csms.RDSFG, automatic, csms.Patch{RotationFuncURN: ptr("")}, start + day, csms.CodeInvalid},
		{
			"the period is cleared as rotation is switched off", csms.RDSFG, automatic,
			csms.Patch{RotationPeriod: ptr(""), AutoRotation: ptr(false)},
			0, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := creation()
			in.Type, in.Rotation = c.typ, c.in
			wantCode(t, in.Validate(csms.DefaultLimits()), "")
			s := csms.New(in, start)
			if c.code != "" {
				refuses(t, s, update(c.patch), start+hour, c.code)
			} else {
				wantCode(t, update(c.patch)(s, start+hour), "")
			}
			if s.Rotation.NextTime != c.want {
				t.Errorf("next_rotation_time is %d, want %d", s.Rotation.NextTime, c.want)
			}
		})
	}
}

func FuzzParseRotationPeriod(f *testing.F) {
	for _, text := range []string{"4h", "3h", "365d", "366d", "14400s", "240m", "1", "d", "", "99999999999999999999d", "0004h"} {
		f.Add(text)
	}
	shape := regexp.MustCompile(`^([0-9]{1,49})([dhms])$`)
	seconds := map[string]int64{"d": 86400, "h": 3600, "m": 60, "s": 1}
	f.Fuzz(func(t *testing.T, text string) {
		want := new(big.Int)
		if m := shape.FindStringSubmatch(text); m != nil {
			n, _ := new(big.Int).SetString(m[1], 10)
			n.Mul(n, big.NewInt(seconds[m[2]]))
			if n.Cmp(big.NewInt(4*3600)) >= 0 && n.Cmp(big.NewInt(8760*3600)) <= 0 {
				want.Mul(n, big.NewInt(1000))
			}
		}
		got, err := csms.ParseRotationPeriod(text)
		if (err == nil) != (want.Sign() > 0) || int64(got) != want.Int64() {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
		wantCode(t, err, map[bool]csms.Code{true: "", false: csms.CodeInvalid}[want.Sign() > 0])
	})
}

package csms_test

import (
	"testing"

	"coffer/internal/csms"
)

// RO12: the types that a function rotates have two agencies, others none.
func TestAgenciesFor(t *testing.T) {
	for kind, function := range map[csms.Type]string{
		csms.RDSFG:   "FunctionGraphAgencyForRotateRDSByCSMSV3",
		csms.GaussDB: "FunctionGraphAgencyForRotateGaussDBByCSMSV3",
		csms.Common:  "", "": "", "RDS": "", "rds-fg": "",
	} {
		got, err := csms.AgenciesFor(kind)
		if function == "" {
			if csms.CodeOf(err) != csms.CodeInvalid || got != nil {
				t.Errorf("%q: %v, %v; want CSMS.0002", kind, got, err)
			}
			continue
		}
		if err != nil || len(got) != 2 || got[0].Name != "CSMSAccessFunctionGraph" || got[0].Trusts != "op_svc_kms" || got[1].Name != function {
			t.Errorf("%q: %+v, %v", kind, got, err)
		}
	}
}

package csms

// Agency is an agency that the rotation of a type of secret needs: who is trusted and
// what the agency may do (neighbours.md 3.1).
type Agency struct {
	Name    string
	Trusts  string // account of the service that acts
	Actions []string
}

// Names of the accounts of the cloud's services that rotation trusts.
const (
	ServiceCSMS          = "op_svc_kms" // CSMS is a part of DEW, whose account has the name of KMS
	ServiceFunctionGraph = "op_svc_cff"
)

// AgenciesFor returns the agencies that the rotation of a type of secret needs, or
// CSMS.0002 for a type that is not rotated by a function (RO12). The first is for CSMS
// to call the function, the second for the function to read and change the secret and
// to set the password.
func AgenciesFor(t Type) ([]Agency, error) {
	caller := Agency{Name: "CSMSAccessFunctionGraph", Trusts: ServiceCSMS, Actions: []string{"functiongraph:function:invoke"}}
	function := Agency{Trusts: ServiceFunctionGraph, Actions: []string{
		"csms:secret:getVersion", "csms:secret:listVersion", "csms:secret:createVersion",
		"csms:secret:getStage", "csms:secret:get", "csms:secret:updateStage",
		"kms:cmk:createDataKey", "kms:cmk:decryptDataKey",
		"vpc:ports:create", "vpc:ports:get", "vpc:ports:update", "vpc:ports:delete",
	}}
	switch t {
	case RDSFG:
		function.Name = "FunctionGraphAgencyForRotateRDSByCSMSV3"
		function.Actions = append(function.Actions, "rds:password:update")
	case GaussDB:
		function.Name = "FunctionGraphAgencyForRotateGaussDBByCSMSV3"
		function.Actions = append(function.Actions, "gaussdb:user:modify")
	default:
		return nil, Invalidf("secret_type must be %s or %s.", RDSFG, GaussDB)
	}
	return []Agency{caller, function}, nil
}

package wire

import "coffer/internal/csms"

// AgencyRequest is the body of CreateAgency.
type AgencyRequest struct {
	SecretType csms.Type `json:"secret_type"`
}

// Agency says what became of one agency: the id, or why it was not made (RO12).
type Agency struct {
	Name     string  `json:"agency_name"`
	ID       *string `json:"agency_id"`
	ErrorMsg *string `json:"error_msg"`
}

// AgencyList is the answer of CreateAgency.
type AgencyList struct {
	Agencies []Agency `json:"agencies"`
}

// AgencyGranted is the answer of ShowAgency: the text true or false (RO12).
type AgencyGranted struct {
	Granted string `json:"agency_granted"`
}

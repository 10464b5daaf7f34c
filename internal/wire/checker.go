package wire

import "coffer/internal/csms"

// CheckSecretsRequest is the body of CheckSecrets (K1).
type CheckSecretsRequest struct {
	Type *string `json:"type"`
	Data Object  `json:"data"`
}

// Object is a JSON object whose members do not matter: true if there is one. What it
// holds is not kept.
type Object bool

// UnmarshalJSON notes an object; null leaves it absent.
func (o *Object) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if b[0] != '{' {
		return csms.Invalidf("data has the wrong JSON type; it takes an object.")
	}
	*o = true
	return nil
}

// MarshalJSON writes an empty object, whatever was read (Q18).
func (Object) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

// CheckSecretsAnswer is the answer of CheckSecrets.
type CheckSecretsAnswer struct {
	Type string `json:"type"`
	Data Object `json:"data"`
}

// UpdateSecretsConfigRequest is the body of UpdateSecretsConfig (K2).
type UpdateSecretsConfigRequest struct {
	CheckingSecretStrength *bool `json:"checking_secret_strength"`
}

// SecretsConfig is the configuration of the checker.
type SecretsConfig struct {
	CheckingSecretStrength bool `json:"checking_secret_strength"`
}

// GeneratePasswordRequest is the body of GenerateRandomPassword (K3). Absent members
// are as their zero value, but for the length.
type GeneratePasswordRequest struct {
	PasswordPolicyName      *string `json:"password_policy_name"`
	Length                  *int    `json:"length"`
	ExcludeCharacters       string  `json:"exclude_characters"`
	ExcludeLowercase        bool    `json:"exclude_lowercase"`
	ExcludeUppercase        bool    `json:"exclude_uppercase"`
	ExcludeNumbers          bool    `json:"exclude_numbers"`
	ExcludePunctuation      bool    `json:"exclude_punctuation"`
	IncludeSpace            bool    `json:"include_space"`
	RequireEachIncludedType bool    `json:"require_each_included_type"`
}

// PasswordAnswer is {"password": ...} (K5). Like a value, the password goes from its
// bytes into the answer and never becomes a string.
type PasswordAnswer struct {
	Password csms.Plaintext
}

// AppendJSON appends the answer to dst.
func (a *PasswordAnswer) AppendJSON(dst []byte) []byte {
	return append(appendString(append(dst, `{"password":`...), a.Password), '}')
}

// Wipe overwrites the password once it has been sent.
func (a *PasswordAnswer) Wipe() { a.Password.Wipe() }

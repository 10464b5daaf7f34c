package wire

import (
	"slices"
	"strconv"

	"coffer/internal/csms"
)

// VersionMetadata describes a version without its value.
type VersionMetadata struct {
	ID            string   `json:"id"`
	CreateTime    Millis   `json:"create_time"`
	ExpireTime    Millis   `json:"expire_time"`
	KMSKeyID      string   `json:"kms_key_id"`
	SecretName    string   `json:"secret_name"`
	VersionStages []string `json:"version_stages"` // [] for a deprecated version
}

// NewVersionMetadata returns the wire form of a version of s.
func NewVersionMetadata(s *csms.Secret, v *csms.Version) VersionMetadata {
	return VersionMetadata{
		ID: v.ID(), CreateTime: Millis(v.CreateTime), ExpireTime: Millis(v.ExpireTime),
		KMSKeyID: v.KMSKeyID, SecretName: s.Name, VersionStages: s.StagesOf(v.Number),
	}
}

// VersionMetadataAnswer is {"version_metadata": ...}.
type VersionMetadataAnswer struct {
	VersionMetadata VersionMetadata `json:"version_metadata"`
}

// VersionList is a page of version metadata.
type VersionList struct {
	VersionMetadatas []VersionMetadata `json:"version_metadatas"`
	PageInfo         PageInfo          `json:"page_info"`
}

// Value is a version with its value. Its encoding is written by hand, so that the
// plain text goes from its bytes straight into the answer and never becomes a
// string.
type Value struct {
	Metadata VersionMetadata
	Value    csms.Value
}

// size bounds the length of the Version object. An answer makes room for all of it
// before it appends, so that no array with plain text in it is outgrown and left
// behind.
func (v *Value) size() int {
	n := len(`{"version_metadata":,"secret_:"}`) + len(v.Value.Kind) + quotedSize(v.Value.Data)
	n += len(`{"id":,"create_time":,"expire_time":,"kms_key_id":,"secret_name":,"version_stages":[]}`) + 2*maxDigits
	m := &v.Metadata
	n += quotedSize(m.ID) + quotedSize(m.KMSKeyID) + quotedSize(m.SecretName)
	for _, stage := range m.VersionStages {
		n += quotedSize(stage) + len(",")
	}
	return n
}

// maxDigits is the length of the longest integer.
const maxDigits = 20

// appendJSON appends the Version object: the metadata and the one field that was
// written (N9).
func (v *Value) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"version_metadata":`...)
	dst = v.Metadata.appendJSON(dst)
	dst = append(dst, `,"secret_`...)
	dst = append(dst, v.Value.Kind...)
	dst = append(dst, `":`...)
	return append(appendString(dst, v.Value.Data), '}')
}

// appendJSON writes the same text as encoding/json does for m.
func (m *VersionMetadata) appendJSON(dst []byte) []byte {
	dst = appendMember(dst, `{"id":`, m.ID)
	dst = appendTime(dst, `,"create_time":`, m.CreateTime)
	dst = appendTime(dst, `,"expire_time":`, m.ExpireTime)
	dst = appendMember(dst, `,"kms_key_id":`, m.KMSKeyID)
	dst = appendMember(dst, `,"secret_name":`, m.SecretName)
	dst = append(dst, `,"version_stages":[`...)
	for i, stage := range m.VersionStages {
		separator := ""
		if i > 0 {
			separator = ","
		}
		dst = appendMember(dst, separator, stage)
	}
	return append(dst, `]}`...)
}

func appendMember(dst []byte, key, text string) []byte {
	return appendString(append(dst, key...), text)
}

func appendTime(dst []byte, key string, t Millis) []byte {
	dst = append(dst, key...)
	if t == 0 {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, int64(t), 10)
}

// ValueAnswer is {"version": ...}.
type ValueAnswer struct {
	Version Value
}

// AppendJSON appends the answer to dst.
func (a *ValueAnswer) AppendJSON(dst []byte) []byte {
	dst = slices.Grow(dst, len(`{"version":}`)+a.Version.size())
	dst = a.Version.appendJSON(append(dst, `{"version":`...))
	return append(dst, '}')
}

// Wipe overwrites the value once it has been sent.
func (a *ValueAnswer) Wipe() { a.Version.Value.Data.Wipe() }

// ValuesAnswer is the answer of BatchShowSecretVersion (V13).
type ValuesAnswer struct {
	Versions []Value
}

// AppendJSON appends the answer to dst.
func (a *ValuesAnswer) AppendJSON(dst []byte) []byte {
	n := len(`{"total_count":,"versions":[]}`) + maxDigits
	for i := range a.Versions {
		n += a.Versions[i].size() + len(",")
	}
	dst = slices.Grow(dst, n)
	dst = append(dst, `{"total_count":`...)
	dst = strconv.AppendInt(dst, int64(len(a.Versions)), 10)
	dst = append(dst, `,"versions":[`...)
	for i := range a.Versions {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = a.Versions[i].appendJSON(dst)
	}
	return append(dst, `]}`...)
}

// Wipe overwrites the values once they have been sent.
func (a *ValuesAnswer) Wipe() {
	for i := range a.Versions {
		a.Versions[i].Value.Data.Wipe()
	}
}

// CreateVersionRequest is the body of CreateSecretVersion.
type CreateVersionRequest struct {
	SecretBinary  Text     `json:"secret_binary"`
	SecretString  Text     `json:"secret_string"`
	VersionStages []string `json:"version_stages"`
	ExpireTime    *int64   `json:"expire_time"`
}

// UpdateVersionRequest is the body of UpdateVersion (V10).
type UpdateVersionRequest struct {
	ExpireTime *int64 `json:"expire_time"`
}

// BatchShowRequest is the body of BatchShowSecretVersion.
type BatchShowRequest struct {
	SecretNameList []string `json:"secret_name_list"`
}

// Stage is a label.
type Stage struct {
	Name       string `json:"name"`
	UpdateTime Millis `json:"update_time"`
	SecretName string `json:"secret_name"`
	VersionID  string `json:"version_id"`
}

// NewStage returns the wire form of a label of s.
func NewStage(s *csms.Secret, st *csms.Stage) Stage {
	return Stage{Name: st.Name, UpdateTime: Millis(st.UpdateTime), SecretName: s.Name, VersionID: csms.VersionID(st.Version)}
}

// StageAnswer is {"stage": ...}.
type StageAnswer struct {
	Stage Stage `json:"stage"`
}

// CreateStageRequest is the body of CreateSecretStage.
type CreateStageRequest struct {
	Name      *string `json:"name"`
	VersionID *string `json:"version_id"`
}

// UpdateStageRequest is the body of UpdateSecretStage.
type UpdateStageRequest struct {
	VersionID *string `json:"version_id"`
}

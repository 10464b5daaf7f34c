package wire

import (
	"encoding/json"

	"coffer/internal/csms"
)

// ImportRequest is the body of BatchImportSecrets (I1).
type ImportRequest struct {
	Secrets ImportItems `json:"secrets"`
}

// ImportItems are the items of an import: all of them, or csms.MaxImport and one
// more where there are too many. So a body of tiny items costs no memory.
type ImportItems []ImportItem

// UnmarshalJSON reads an array; null leaves the list absent.
func (l *ImportItems) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if b[0] != '[' {
		return csms.Invalidf("secrets has the wrong JSON type; it takes an array.")
	}
	var items [csms.MaxImport + 1]ImportItem // what does not fit is skipped
	if err := json.Unmarshal(b, &items); err != nil {
		return err
	}
	n := 0
	for n < len(items) && items[n].read {
		n++
	}
	*l = append(ImportItems{}, items[:n]...)
	return nil
}

// ImportItem is one item of an import: the body of CreateSecret, or what is wrong
// with it. One bad item does not spoil the others (I2).
type ImportItem struct {
	Body CreateSecretRequest // as far as it could be read
	Err  error               // a *csms.Error, or nil
	read bool
}

// UnmarshalJSON reads an item and keeps its error.
func (i *ImportItem) UnmarshalJSON(b []byte) error {
	i.read, i.Err = true, Decode(b, &i.Body)
	return nil
}

// ImportAnswer tells what became of the items (I2).
type ImportAnswer struct {
	ErrorList []ImportError `json:"error_list"`
	Total     int           `json:"total"`
	Success   int           `json:"success"`
	Failed    int           `json:"failed"`
}

// ImportError explains one item that was not imported.
type ImportError struct {
	Name     string `json:"name"`
	ErrorMsg string `json:"error_msg"`
}

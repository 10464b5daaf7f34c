package httpapi

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/wire"
)

type importRequest struct{ items []service.ImportItem }

func (q *importRequest) bind(x *exchange) error {
	var body wire.ImportRequest
	err := x.decode(&body)
	q.items = make([]service.ImportItem, 0, len(body.Secrets))
	for i := range body.Secrets {
		q.items = append(q.items, importItem(&body.Secrets[i]))
	}
	if err == nil && body.Secrets == nil {
		err = csms.Invalidf("secrets must be given.")
	}
	return err
}

func importItem(i *wire.ImportItem) service.ImportItem {
	item := service.ImportItem{Secret: newSecret(&i.Body), Err: i.Err}
	if item.Err == nil {
		item.Err = checkGiven(&i.Body)
	}
	return item
}

// Wipe overwrites the values that were sent.
func (q *importRequest) Wipe() {
	for i := range q.items {
		q.items[i].Secret.Text.Wipe()
		q.items[i].Secret.Binary.Wipe()
	}
}

func (a *API) batchImportSecrets(ctx context.Context, who *iam.Caller, q *importRequest) (wire.ImportAnswer, error) {
	out, err := a.Service.BatchImportSecrets(ctx, who, q.items)
	if err != nil {
		return wire.ImportAnswer{}, err
	}
	answer := wire.ImportAnswer{
		ErrorList: []wire.ImportError{}, Total: out.Total, Success: out.Total - len(out.Failed), Failed: len(out.Failed),
	}
	for _, f := range out.Failed {
		answer.ErrorList = append(answer.ErrorList, wire.ImportError{Name: f.Name, ErrorMsg: message(f.Err)})
	}
	return answer, nil
}

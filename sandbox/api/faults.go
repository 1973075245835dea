package api

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/fault"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func (a *api) listFaults(http.ResponseWriter, *http.Request) (int, any, error) {
	return http.StatusOK, fault.Catalogue(), nil
}

func (a *api) armedIn(r *http.Request) []fault.Armed {
	return a.Faults.Armed(vneid.WorldFrom(r.Context()).ID)
}

// listArmed lists all that is armed in the world, for whichever client.
func (a *api) listArmed(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	return http.StatusOK, a.armedIn(r), nil
}

func (a *api) armWorld(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	return a.arm(r, "")
}

func (a *api) disarmWorld(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	return http.StatusNoContent, nil, a.ChangeFaults(r.Context(), func([]fault.Armed) []fault.Armed { return nil })
}

func (a *api) listClientFaults(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	id, err := a.knownClient(r)
	return http.StatusOK, fault.OfClient(a.armedIn(r), id), err
}

func (a *api) armClient(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	id, err := a.knownClient(r)
	if err != nil {
		return 0, nil, err
	}
	return a.arm(r, id)
}

func (a *api) disarmClient(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	id, err := a.knownClient(r)
	if err == nil {
		err = a.ChangeFaults(r.Context(), func(all []fault.Armed) []fault.Armed { return fault.ForClient(all, id, nil) })
	}
	return http.StatusNoContent, nil, err
}

func (a *api) knownClient(r *http.Request) (string, error) {
	id := r.PathValue("client_id")
	return id, noSuchClient(a.view(r, func(tx vneid.Tx) error {
		_, err := tx.Client(id)
		return err
	}))
}

// arm replaces what is armed for a client, or with "" for every client.
func (a *api) arm(r *http.Request, client string) (int, any, error) {
	var body struct {
		Faults []json.RawMessage `json:"faults"`
	}
	given, bad, err := readObject(r, &body)
	if err != nil {
		return 0, nil, err
	}
	if !given["faults"] && len(bad) == 0 {
		bad = append(bad, FieldError{"faults", "the list of what is to be armed; [] disarms, as DELETE does"})
	}
	list := make([]fault.Armed, len(body.Faults))
	for i, raw := range body.Faults {
		field := fmt.Sprintf("faults[%d]", i)
		_, wrong, err := parseObject(raw, &list[i])
		if err != nil {
			bad = append(bad, FieldError{field, "must be an object"})
		}
		for _, w := range wrong {
			bad = append(bad, FieldError{field + "." + w.Field, w.Detail})
		}
		if id := list[i].ClientID; id != "" && id != client {
			bad = append(bad, FieldError{field + ".client_id", "the path says for whom; leave it out"})
		}
	}
	if len(bad) > 0 {
		return 0, nil, InvalidFields("", bad)
	}
	for _, m := range a.Faults.Check(list, vneid.WorldFrom(r.Context()).Clock.Now().Year()) {
		bad = append(bad, FieldError{m.Field, m.What})
	}
	if len(bad) > 0 {
		return 0, nil, InvalidFields("", bad)
	}
	if err := a.ChangeFaults(r.Context(), func(all []fault.Armed) []fault.Armed { return fault.ForClient(all, client, list) }); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, fault.OfClient(a.armedIn(r), client), nil
}

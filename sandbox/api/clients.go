package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// clientAnswer is a client as RFC 7591 §3.2.1 shows it.
type clientAnswer struct {
	vneid.ClientMetadata
	ClientIDIssuedAt int64  `json:"client_id_issued_at"`
	ClientSecret     string `json:"client_secret,omitempty"` // only when it was just made
	// 0 = never; stands beside every client_secret (RFC 7591 §3.2.1).
	ClientSecretExpiresAt *int64 `json:"client_secret_expires_at,omitempty"`
}

func answerWith(c *vneid.Client, secret string) clientAnswer {
	a := clientAnswer{ClientMetadata: c.ClientMetadata, ClientIDIssuedAt: c.CreatedAt.Unix(), ClientSecret: secret}
	if secret != "" {
		a.ClientSecretExpiresAt = new(int64)
	}
	return a
}

func (a *api) listClients(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	list := []clientAnswer{}
	err := a.view(r, func(tx vneid.Tx) error {
		clients, err := tx.Clients()
		list = list[:0]
		for i := range clients {
			list = append(list, answerWith(&clients[i], ""))
		}
		return err
	})
	return http.StatusOK, list, err
}

func (a *api) getClient(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	var client *vneid.Client
	err := a.view(r, func(tx vneid.Tx) (err error) {
		client, err = tx.Client(r.PathValue("client_id"))
		return err
	})
	if err != nil {
		return 0, nil, noSuchClient(err)
	}
	return http.StatusOK, answerWith(client, ""), nil
}

func noSuchClient(err error) error {
	if errors.Is(err, vneid.ErrNotFound) {
		return Refuse(http.StatusNotFound, "no client has this client_id; GET "+Prefix+"/clients lists them")
	}
	return err
}

func (a *api) createClient(w http.ResponseWriter, r *http.Request) (int, any, error) {
	var m vneid.ClientMetadata
	_, bad, err := readObject(r, &m)
	if err != nil {
		return 0, nil, err
	}
	if len(bad) > 0 { // with all the rest that is wrong
		if m.ClientID == "" {
			m.ClientID = vneid.NewID(a.Rand)
		}
		return 0, nil, clientProblem(bad, m.Normalize(a.AllowHosts))
	}
	client, secret, err := a.registrar().Add(r.Context(), m)
	if errors.Is(err, vneid.ErrExists) {
		p := Refuse(http.StatusConflict, "client_id is taken; PATCH "+here(r)+"/clients/"+m.ClientID+" changes that client")
		p.Errors = []FieldError{{"client_id", "is taken"}}
		return 0, nil, p
	}
	if err != nil {
		return 0, nil, clientError(err)
	}
	w.Header().Set("Location", here(r)+"/clients/"+client.ClientID)
	return http.StatusCreated, answerWith(client, secret), nil
}

// patchClient merges fields into a client, RFC 7396.
func (a *api) patchClient(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	body, err := readBody(r)
	if err != nil {
		return 0, nil, err
	}
	id := r.PathValue("client_id")
	client, secret, err := a.registrar().Change(r.Context(), id, func(m *vneid.ClientMetadata) error {
		given, bad, err := parseObject(body, m)
		if err != nil {
			return err
		}
		if m.ClientID != id {
			bad = append(bad, FieldError{"client_id", "cannot be changed; POST a new client"})
			m.ClientID = id
		}
		if _, method := given["token_endpoint_auth_method"]; method && !given["require_pkce"] {
			m.RequirePKCE = nil // its default depends on the method
		}
		if len(bad) > 0 {
			return clientProblem(bad, m.Normalize(a.AllowHosts))
		}
		return nil
	})
	if err != nil {
		return 0, nil, clientError(err)
	}
	return http.StatusOK, answerWith(client, secret), nil
}

func (a *api) deleteClient(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	if err := a.registrar().Remove(r.Context(), r.PathValue("client_id")); err != nil {
		return 0, nil, noSuchClient(err)
	}
	return http.StatusNoContent, nil, nil
}

func (a *api) registrar() *people.Registrar {
	return &people.Registrar{Store: a.Store, Rand: a.Rand, AllowHosts: a.AllowHosts}
}

// clientError is the problem of an error of people.Registrar.
func clientError(err error) error {
	var invalid people.Invalid
	if errors.As(err, &invalid) {
		return clientProblem(nil, invalid)
	}
	return noSuchClient(err)
}

// clientProblem lists every invalid field; bad are those of the wrong type.
func clientProblem(bad []FieldError, invalid map[string]string) *Problem {
	wrongTypes := len(bad)
	bad = withInvalid(bad, invalid)
	code := "invalid_client_metadata" // RFC 7591 §3.2.2
	for _, b := range bad[wrongTypes:] {
		if strings.Contains(b.Field, "redirect_uris") {
			code = "invalid_redirect_uri"
		}
	}
	return InvalidFields(code, bad)
}

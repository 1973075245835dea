package api

import (
	"errors"
	"net/http"
	"strings"

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
	if m.ClientID == "" {
		m.ClientID = vneid.NewID(a.Rand)
	}
	if err := a.check(&m, bad); err != nil {
		return 0, nil, err
	}
	now := vneid.WorldFrom(r.Context()).Clock.Now()
	client := vneid.Client{ClientMetadata: m, CreatedAt: now, UpdatedAt: now}
	secret := a.renewSecret(&client)
	err = a.Store.Update(r.Context(), vneid.WorldFrom(r.Context()).ID, func(tx vneid.Tx) error {
		if _, err := tx.Client(m.ClientID); err == nil {
			p := Refuse(http.StatusConflict, "client_id is taken; PATCH "+Prefix+"/clients/"+m.ClientID+" changes that client")
			p.Errors = []FieldError{{"client_id", "is taken"}}
			return p
		} else if !errors.Is(err, vneid.ErrNotFound) {
			return err
		}
		return tx.PutClient(&client)
	})
	if err != nil {
		return 0, nil, err
	}
	w.Header().Set("Location", here(r)+"/clients/"+m.ClientID)
	return http.StatusCreated, answerWith(&client, secret), nil
}

// patchClient merges fields into a client, RFC 7396. A client that begins to
// authenticate with a secret gets one, one that ceases to loses its own.
func (a *api) patchClient(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	body, err := readBody(r)
	if err != nil {
		return 0, nil, err
	}
	var client *vneid.Client
	var secret string
	err = a.Store.Update(r.Context(), vneid.WorldFrom(r.Context()).ID, func(tx vneid.Tx) error {
		var err error
		if client, err = tx.Client(r.PathValue("client_id")); err != nil {
			return noSuchClient(err)
		}
		id, hadSecret := client.ClientID, client.HasSecret()
		given, bad, err := parseObject(body, &client.ClientMetadata)
		if err != nil {
			return err
		}
		if client.ClientID != id {
			bad = append(bad, FieldError{"client_id", "cannot be changed; POST a new client"})
			client.ClientID = id
		}
		if given["token_endpoint_auth_method"] && !given["require_pkce"] {
			client.RequirePKCE = nil // its default depends on the method
		}
		if err := a.check(&client.ClientMetadata, bad); err != nil {
			return err
		}
		secret = ""
		if client.HasSecret() != hadSecret {
			secret = a.renewSecret(client)
		}
		client.UpdatedAt = vneid.WorldFrom(r.Context()).Clock.Now()
		return tx.PutClient(client)
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, answerWith(client, secret), nil
}

func (a *api) deleteClient(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	w := vneid.WorldFrom(r.Context())
	err := a.Store.Update(r.Context(), w.ID, func(tx vneid.Tx) error {
		return vneid.RemoveClient(tx, r.PathValue("client_id"), w.Clock.Now())
	})
	if err != nil {
		return 0, nil, noSuchClient(err)
	}
	return http.StatusNoContent, nil, nil
}

// check fills in the defaults and collects every invalid field.
func (a *api) check(m *vneid.ClientMetadata, bad []FieldError) error {
	invalid := m.Normalize(a.AllowHosts)
	wrongTypes := len(bad)
	if bad = withInvalid(bad, invalid); len(bad) == 0 {
		return nil
	}
	code := "invalid_client_metadata" // RFC 7591 §3.2.2
	for _, b := range bad[wrongTypes:] {
		if strings.Contains(b.Field, "redirect_uris") {
			code = "invalid_redirect_uri"
		}
	}
	return InvalidFields(code, bad)
}

// renewSecret gives a client that uses one a new secret, and takes it away from
// any other.
func (a *api) renewSecret(c *vneid.Client) (secret string) {
	if !c.HasSecret() {
		c.SecretHash = ""
		return ""
	}
	secret = vneid.NewSecret(a.Rand)
	c.SecretHash = vneid.SecretHash(secret)
	return secret
}

package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func (c *Console) listClients(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	q, after := strings.TrimSpace(clip(query.Get("q"), 200)), clip(query.Get("after"), 128)
	v := templates.ConsoleClientsView{Frame: c.Frame(w, r), OnConsole: c.on(r), Paging: templates.Paging{Query: q, First: after == ""}}
	err := c.view(r, func(tx vneid.Tx) error {
		v.Clients, v.Next = nil, ""
		all, err := tx.Clients()
		for i := range all {
			if client := &all[i]; client.ClientID > after && found(client, q) {
				if len(v.Clients) == perPage {
					v.Next = next(q, v.Clients[perPage-1].ID)
					break
				}
				v.Clients = append(v.Clients, clientView(client))
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.show(w, r, v)
}

// found looks for a client by its id or name, as people write it.
func found(client *vneid.Client, q string) bool {
	q = vneid.MatchForm(q)
	return strings.Contains(vneid.MatchForm(client.ClientID), q) || strings.Contains(vneid.MatchForm(client.ClientName), q)
}

func clientView(client *vneid.Client) templates.ConsoleClient {
	return templates.ConsoleClient{ID: client.ClientID, Name: client.ClientName, Method: client.TokenEndpointAuthMethod, Consent: client.Consent,
		RedirectURIs: client.RedirectURIs}
}

func (c *Console) client(w http.ResponseWriter, r *http.Request) error {
	return c.showClient(w, r, http.StatusOK, r.PathValue("client_id"), "", nil)
}

// showClient shows a client with the form, filled in as it is, or as it was
// typed. secret is one that was just made.
func (c *Console) showClient(w http.ResponseWriter, r *http.Request, status int, id, secret string, typed *templates.Form) error {
	var client *vneid.Client
	err := c.view(r, func(tx vneid.Tx) (err error) {
		client, err = tx.Client(id)
		return err
	})
	if err != nil {
		return missing(err, "no client has this client_id")
	}
	issuer := vneid.WorldFrom(r.Context()).Issuer
	v := templates.ConsoleClientView{Frame: c.Frame(w, r), OnConsole: c.on(r), Client: clientView(client), Secret: secret, Issuer: issuer,
		Snippets: snippets(issuer, client), Form: clientForm(&client.ClientMetadata)}
	if typed != nil {
		v.Form = *typed
		v.Form.Options = clientOptions()
	}
	c.Show(w, r, status, v)
	return nil
}

func (c *Console) newClient(w http.ResponseWriter, r *http.Request) error {
	m := vneid.ClientMetadata{ClientID: "x", RedirectURIs: []string{"http://localhost/"}}
	m.Normalize(nil) // the defaults
	m.ClientID, m.ClientName, m.RedirectURIs = "", "", nil
	return c.show(w, r, templates.ConsoleNewClientView{Frame: c.Frame(w, r), OnConsole: c.on(r), Form: clientForm(&m)})
}

func (c *Console) createClient(w http.ResponseWriter, r *http.Request) error {
	m := vneid.ClientMetadata{ClientID: strings.TrimSpace(r.PostForm.Get("client_id"))}
	err := readClient(r.PostForm, &m)
	var client *vneid.Client
	var secret string
	if err == nil {
		client, secret, err = c.Registrar.Add(r.Context(), m)
	}
	if errors.Is(err, vneid.ErrExists) {
		err = people.Invalid{"client_id": "taken"}
	}
	if typed, status := c.mistakes(w, r, err); typed != nil {
		typed.Options = clientOptions()
		c.Show(w, r, status, templates.ConsoleNewClientView{Frame: c.Frame(w, r), OnConsole: c.on(r), Form: *typed})
		return nil
	}
	if err != nil {
		return err
	}
	if secret == "" {
		return c.goTo(w, r, "/clients/"+client.ClientID, "client-saved")
	}
	// Not by another request: the secret is in no address and in no row.
	return c.showClient(w, r, http.StatusCreated, client.ClientID, secret, nil)
}

func (c *Console) changeClient(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("client_id")
	_, secret, err := c.Registrar.Change(r.Context(), id, func(m *vneid.ClientMetadata) error { return readClient(r.PostForm, m) })
	if typed, status := c.mistakes(w, r, err); typed != nil {
		return c.showClient(w, r, status, id, "", typed)
	}
	if err != nil {
		return missing(err, "no client has this client_id")
	}
	if secret != "" {
		return c.showClient(w, r, http.StatusOK, id, secret, nil)
	}
	return c.goTo(w, r, "/clients/"+id, "client-saved")
}

func (c *Console) newSecret(w http.ResponseWriter, r *http.Request) error {
	client, secret, err := c.Registrar.NewSecret(r.Context(), r.PathValue("client_id"))
	if err != nil {
		return missing(err, "no client has this client_id")
	}
	return c.showClient(w, r, http.StatusOK, client.ClientID, secret, nil)
}

func (c *Console) deleteClient(w http.ResponseWriter, r *http.Request) error {
	if err := c.Registrar.Remove(r.Context(), r.PathValue("client_id")); err != nil {
		return missing(err, "no client has this client_id")
	}
	return c.goTo(w, r, "/clients", "client-deleted")
}

func clientOptions() map[string][]string {
	return map[string][]string{"token_endpoint_auth_method": vneid.AuthMethods(), "scope": vneid.SupportedScopes(), "grant_types": vneid.GrantTypes(),
		"id_token_signed_response_alg": vneid.SigningAlgs(), "id_token_claims": vneid.PersonClaims()}
}

// clientForm is the form as a client is.
func clientForm(m *vneid.ClientMetadata) templates.Form {
	number := func(n int) []string {
		if n == 0 {
			return []string{""}
		}
		return []string{strconv.Itoa(n)}
	}
	values := url.Values{
		"client_id": {m.ClientID}, "client_name": {m.ClientName}, "redirect_uris": {strings.Join(m.RedirectURIs, "\n")},
		"token_endpoint_auth_method": {m.TokenEndpointAuthMethod}, "jwks_uri": {m.JWKSURI}, "consent": {m.Consent}, "scope": strings.Fields(m.Scope),
		"post_logout_redirect_uris": {strings.Join(m.PostLogoutRedirectURIs, "\n")}, "backchannel_logout_uri": {m.BackchannelLogoutURI},
		"frontchannel_logout_uri": {m.FrontchannelLogoutURI}, "id_token_signed_response_alg": {m.IDTokenSignedAlg}, "id_token_claims": m.IDTokenClaims,
		"subject_type": {m.SubjectType}, "sector_identifier_uri": {m.SectorIdentifierURI}, "grant_types": m.GrantTypes,
		"access_token_lifetime": number(m.AccessTokenLifetime), "id_token_lifetime": number(m.IDTokenLifetime), "refresh_token_lifetime": number(m.RefreshTokenLifetime),
		"min_account_level": {strconv.Itoa(m.MinAccountLevel)}, "second_factor": {m.SecondFactor}, "number_matching": {""},
	}
	if m.NumberMatching != nil {
		values.Set("number_matching", strconv.FormatBool(*m.NumberMatching))
	}
	for field, on := range map[string]bool{"require_pkce": m.RequirePKCE != nil && *m.RequirePKCE,
		"backchannel_logout_session_required": m.BackchannelLogoutSessionRequired, "frontchannel_logout_session_required": m.FrontchannelLogoutSessionRequired} {
		if on {
			values.Set(field, "true")
		}
	}
	return templates.Form{Values: values, Options: clientOptions()}
}

// readClient reads the form into a client. What is wrong with it the client's
// own check will say; the error is a people.Invalid of what is no number.
func readClient(form url.Values, m *vneid.ClientMetadata) error {
	text := func(field string) string { return strings.TrimSpace(form.Get(field)) }
	bad := people.Invalid{}
	number := func(field string) int {
		if text(field) == "" {
			return 0
		}
		n, err := strconv.Atoi(text(field))
		if err != nil {
			bad[field] = "a whole number of seconds"
		}
		return n
	}
	m.ClientName, m.RedirectURIs, m.PostLogoutRedirectURIs = text("client_name"), lines(form.Get("redirect_uris")), lines(form.Get("post_logout_redirect_uris"))
	m.TokenEndpointAuthMethod, m.JWKSURI, m.Consent, m.Scope = text("token_endpoint_auth_method"), text("jwks_uri"), text("consent"), strings.Join(form["scope"], " ")
	m.BackchannelLogoutURI, m.FrontchannelLogoutURI = text("backchannel_logout_uri"), text("frontchannel_logout_uri")
	m.BackchannelLogoutSessionRequired, m.FrontchannelLogoutSessionRequired = form.Get("backchannel_logout_session_required") != "", form.Get("frontchannel_logout_session_required") != ""
	m.IDTokenSignedAlg, m.IDTokenClaims, m.SubjectType, m.SectorIdentifierURI = text("id_token_signed_response_alg"), form["id_token_claims"], text("subject_type"), text("sector_identifier_uri")
	m.GrantTypes = form["grant_types"]
	m.AccessTokenLifetime, m.IDTokenLifetime, m.RefreshTokenLifetime = number("access_token_lifetime"), number("id_token_lifetime"), number("refresh_token_lifetime")
	m.MinAccountLevel, m.SecondFactor, m.NumberMatching = number("min_account_level"), text("second_factor"), nil
	if on, err := strconv.ParseBool(text("number_matching")); err == nil {
		m.NumberMatching = &on
	}
	pkce := form.Get("require_pkce") != "" || m.TokenEndpointAuthMethod == vneid.AuthNone // which always has to
	m.RequirePKCE = &pkce
	if len(bad) > 0 {
		return bad
	}
	return nil
}

// lines are the values of a field that takes one a line.
func lines(text string) []string {
	list := strings.Split(strings.ReplaceAll(text, "\r", ""), "\n")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// hostOf is where an address leads, for people.
func hostOf(raw string) string {
	if u, err := url.Parse(raw); err == nil {
		return u.Host
	}
	return ""
}

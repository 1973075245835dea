package vneid

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// scopeClaims are the claims about a person that each scope gives out: OIDC
// Core §5.4, and what VNeID adds.
var scopeClaims = map[string][]string{
	ScopeProfile: {"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile",
		"picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"},
	ScopeEmail:   {"email", "email_verified"},
	ScopeAddress: {"address"},
	ScopePhone:   {"phone_number", "phone_number_verified"},
	ScopeCCCD:    {"cccd", "cmnd", "account_level", "account_type"},
}

// PersonClaims are all claims about a person, by scope in the order of
// [SupportedScopes].
func PersonClaims() (names []string) {
	for _, s := range SupportedScopes() {
		names = append(names, scopeClaims[s]...)
	}
	return names
}

// ScopeOfClaim is the scope that a claim about a person belongs to, "" for
// anything else.
func ScopeOfClaim(name string) string { return claimScopes[name] }

var claimScopes = func() map[string]string {
	scopes := map[string]string{}
	for scope, names := range scopeClaims {
		for _, name := range names {
			scopes[name] = scope
		}
	}
	return scopes
}()

// ClaimsRequest is the claims parameter of an authorization request, OIDC Core
// §5.5: claims asked for one by one, beside those that scopes give out.
type ClaimsRequest struct {
	Userinfo map[string]ClaimRequest `json:"userinfo,omitempty"`
	IDToken  map[string]ClaimRequest `json:"id_token,omitempty"`
}

// ClaimRequest is how one claim is asked for, OIDC Core §5.5.1.
type ClaimRequest struct {
	Essential bool `json:"essential,omitempty"`
	// Values are those the claim may have, as JSON in the words of
	// [encoding/json]; none = any. A value alone is a list of one.
	Values []string `json:"values,omitempty"`
}

// Takes reports whether a claim with that value is what was asked for.
func (r ClaimRequest) Takes(value any) bool {
	if len(r.Values) == 0 {
		return true
	}
	text, err := json.Marshal(value)
	return err == nil && slices.Contains(r.Values, string(text))
}

// strings are the values that are strings.
func (r ClaimRequest) strings() (list []string) {
	for _, raw := range r.Values {
		var s string
		if json.Unmarshal([]byte(raw), &s) == nil {
			list = append(list, s)
		}
	}
	return list
}

const (
	mostClaims      = 64 // of one member
	mostClaimValues = 16
)

// ParseClaims reads the claims parameter. Members that nobody defined are
// ignored (OIDC Core §5.5); what is defined and written wrong is an error.
func ParseClaims(text string) (*ClaimsRequest, error) {
	var members struct {
		Userinfo map[string]json.RawMessage `json:"userinfo"`
		IDToken  map[string]json.RawMessage `json:"id_token"`
	}
	if !isObject([]byte(text)) {
		return nil, errors.New("claims is no JSON object")
	}
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return nil, errors.New("claims: userinfo and id_token are JSON objects")
	}
	var r ClaimsRequest
	var err error
	if r.Userinfo, err = parseMember(members.Userinfo); err == nil {
		r.IDToken, err = parseMember(members.IDToken)
	}
	if err != nil {
		return nil, err
	}
	return &r, nil
}

func parseMember(member map[string]json.RawMessage) (map[string]ClaimRequest, error) {
	if len(member) > mostClaims {
		return nil, fmt.Errorf("claims: more than %d in one member", mostClaims)
	}
	parsed := map[string]ClaimRequest{}
	for name, raw := range member {
		var asked struct {
			Essential bool              `json:"essential"`
			Value     json.RawMessage   `json:"value"`
			Values    []json.RawMessage `json:"values"`
		}
		if string(raw) != "null" { // which asks for the claim and no more
			if !isObject(raw) {
				return nil, errors.New("claims: each claim is null or a JSON object")
			}
			if err := json.Unmarshal(raw, &asked); err != nil {
				return nil, errors.New("claims: essential is true or false, values is an array")
			}
		}
		if asked.Value != nil {
			asked.Values = append(asked.Values, asked.Value)
		}
		if len(asked.Values) > mostClaimValues {
			return nil, fmt.Errorf("claims: more than %d values of one claim", mostClaimValues)
		}
		c := ClaimRequest{Essential: asked.Essential}
		for _, v := range asked.Values {
			// The same text for the same value, however the client wrote it.
			var value any
			if err := json.Unmarshal(v, &value); err != nil {
				return nil, errors.New("claims: a value cannot be read")
			}
			same, err := json.Marshal(value)
			if err != nil {
				return nil, errors.New("claims: a value cannot be read")
			}
			c.Values = append(c.Values, string(same))
		}
		parsed[name] = c
	}
	return parsed, nil
}

func isObject(raw []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) }

// Ask takes the claims parameter into a request: what it says about the person
// and the level stands beside the other parameters about them, and of the rest
// stays what is a claim about a person and open to the client. To leave a
// claim out is no error (OIDC Core §5.5.1).
func (r *AuthRequest) Ask(c *Client, claims *ClaimsRequest) {
	for _, member := range []map[string]ClaimRequest{claims.Userinfo, claims.IDToken} {
		if sub, ok := member["sub"]; ok && len(sub.Values) > 0 {
			r.Subjects = append(r.Subjects, sub.strings())
		}
	}
	if acr, ok := claims.IDToken["acr"]; ok && len(acr.Values) > 0 {
		switch values := acr.strings(); {
		case acr.Essential:
			r.EssentialACR = append([]string{}, values...)
		case len(r.ACRValues) == 0:
			r.ACRValues = values
		}
	}
	r.Claims = claims.openTo(c)
}

// openTo keeps the claims about a person whose scopes a client is registered
// for; nil = none.
func (r *ClaimsRequest) openTo(c *Client) *ClaimsRequest {
	if r == nil {
		return nil
	}
	keep := func(member map[string]ClaimRequest) map[string]ClaimRequest {
		kept := map[string]ClaimRequest{}
		for name, how := range member {
			if scope := ScopeOfClaim(name); scope != "" && c.AllowsScope(scope) {
				kept[name] = how
			}
		}
		return kept
	}
	open := &ClaimsRequest{Userinfo: keep(r.Userinfo), IDToken: keep(r.IDToken)}
	if len(open.Userinfo)+len(open.IDToken) == 0 {
		return nil
	}
	return open
}

// consentToClaim marks what a person agreed to share beside whole scopes.
const consentToClaim = "claim:"

// Shared is what the person has to agree to: the scopes, and each claim that
// none of them gives out.
func (r *AuthRequest) Shared() []string {
	shared := slices.Clone(r.Scopes)
	if r.Claims == nil {
		return shared
	}
	for _, name := range PersonClaims() {
		_, userinfo := r.Claims.Userinfo[name]
		_, idToken := r.Claims.IDToken[name]
		if (userinfo || idToken) && !slices.Contains(r.Scopes, ScopeOfClaim(name)) {
			shared = append(shared, consentToClaim+name)
		}
	}
	return shared
}

// Shares reports whether the client will learn a claim about the person.
func (r *AuthRequest) Shares(claim string) bool { return shares(r.Shared(), claim) }

func shares(shared []string, claim string) bool {
	return slices.Contains(shared, ScopeOfClaim(claim)) || slices.Contains(shared, consentToClaim+claim)
}

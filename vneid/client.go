package vneid

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The ways a client authenticates at the token endpoint, by their registered
// names (RFC 7591 §2).
const (
	AuthBasic         = "client_secret_basic"
	AuthPost          = "client_secret_post"
	AuthPrivateKeyJWT = "private_key_jwt" // OIDC Core §9, RFC 7523
	AuthNone          = "none"
)

// Grant types by their registered names.
const (
	GrantCode              = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
)

// GrantTypes in the order discovery lists them.
func GrantTypes() []string {
	return []string{GrantCode, GrantRefreshToken, GrantClientCredentials, DeviceGrant}
}

// Scopes the provider knows. Anything else in a request is ignored
// (OIDC Core §3.1.2.1).
const (
	ScopeOpenID        = "openid"
	ScopeProfile       = "profile"
	ScopePhone         = "phone"
	ScopeAddress       = "address"
	ScopeEmail         = "email"
	ScopeCCCD          = "cccd"
	ScopeOfflineAccess = "offline_access"
)

// SupportedScopes in the order discovery lists them.
func SupportedScopes() []string {
	return []string{ScopeOpenID, ScopeProfile, ScopePhone, ScopeAddress, ScopeEmail, ScopeCCCD, ScopeOfflineAccess}
}

// When the sharing page is shown.
const (
	ConsentAlways = "always"
	ConsentOnce   = "once"
	ConsentNever  = "never"
)

// ClientMetadata describes a client with the field names of RFC 7591; the
// last block is ours.
type ClientMetadata struct {
	ClientID                string   `json:"client_id" yaml:"client_id"`
	ClientName              string   `json:"client_name" yaml:"client_name"`
	RedirectURIs            []string `json:"redirect_uris" yaml:"redirect_uris"`
	PostLogoutRedirectURIs  []string `json:"post_logout_redirect_uris,omitempty" yaml:"post_logout_redirect_uris"`
	BackchannelLogoutURI    string   `json:"backchannel_logout_uri,omitempty" yaml:"backchannel_logout_uri"`
	FrontchannelLogoutURI   string   `json:"frontchannel_logout_uri,omitempty" yaml:"frontchannel_logout_uri"`
	TokenEndpointAuthMethod string   `json:"token_endpoint_auth_method" yaml:"token_endpoint_auth_method"`
	GrantTypes              []string `json:"grant_types" yaml:"grant_types"`
	ResponseTypes           []string `json:"response_types" yaml:"response_types"`
	Scope                   string   `json:"scope" yaml:"scope"`
	SubjectType             string   `json:"subject_type" yaml:"subject_type"` // pairwise, public
	SectorIdentifierURI     string   `json:"sector_identifier_uri,omitempty" yaml:"sector_identifier_uri"`
	IDTokenSignedAlg        string   `json:"id_token_signed_response_alg" yaml:"id_token_signed_response_alg"`
	UserinfoSignedAlg       string   `json:"userinfo_signed_response_alg,omitempty" yaml:"userinfo_signed_response_alg"`       // "" = JSON, not signed
	AuthSigningAlg          string   `json:"token_endpoint_auth_signing_alg,omitempty" yaml:"token_endpoint_auth_signing_alg"` // "" = any of ours
	JWKS                    *JWKSet  `json:"jwks,omitempty" yaml:"jwks"`
	JWKSURI                 string   `json:"jwks_uri,omitempty" yaml:"jwks_uri"`

	BackchannelLogoutSessionRequired  bool `json:"backchannel_logout_session_required,omitempty" yaml:"backchannel_logout_session_required"`
	FrontchannelLogoutSessionRequired bool `json:"frontchannel_logout_session_required,omitempty" yaml:"frontchannel_logout_session_required"`

	Consent              string   `json:"consent" yaml:"consent"`
	RequirePKCE          *bool    `json:"require_pkce" yaml:"require_pkce"`
	IDTokenClaims        []string `json:"id_token_claims,omitempty" yaml:"id_token_claims"`
	MinAccountLevel      int      `json:"min_account_level,omitempty" yaml:"min_account_level"`
	AccessTokenLifetime  int      `json:"access_token_lifetime,omitempty" yaml:"access_token_lifetime"`   // seconds, 0 = policy
	IDTokenLifetime      int      `json:"id_token_lifetime,omitempty" yaml:"id_token_lifetime"`           // seconds, 0 = policy
	RefreshTokenLifetime int      `json:"refresh_token_lifetime,omitempty" yaml:"refresh_token_lifetime"` // seconds, 0 = policy
	SecondFactor         string   `json:"second_factor,omitempty" yaml:"second_factor"`                   // "" = policy
	NumberMatching       *bool    `json:"number_matching,omitempty" yaml:"number_matching"`               // absent = policy
	AccessTokenFormat    string   `json:"access_token_format,omitempty" yaml:"access_token_format"`       // "" = opaque, or jwt (RFC 9068)
}

// Client is a registered relying party.
type Client struct {
	ClientMetadata
	SecretHash string // SecretHash of the client secret; "" for public clients
	// LoopbackAnyPort lets the port of a loopback redirect URI vary (RFC 8252
	// §7.3). Only the seeded "your own RP" has it; the API cannot set it.
	LoopbackAnyPort bool
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// secondFactor is what has to follow the password at this client.
func (c *Client) secondFactor(p Policy) string {
	if c.SecondFactor != "" {
		return c.SecondFactor
	}
	return p.SecondFactor
}

// numberMatching reports whether the phone asks for the digits on the page.
func (c *Client) numberMatching(p Policy) bool {
	if c.NumberMatching != nil {
		return *c.NumberMatching
	}
	return p.NumberMatching
}

// SigningAlgs are the algorithms an ID token can be signed with.
func SigningAlgs() []string { return []string{"RS256", "ES256", "PS256", "EdDSA"} }

// Normalize fills in the defaults and reports every invalid field.
// allowHosts names hosts allowed besides the local ones.
func (m *ClientMetadata) Normalize(allowHosts []string) map[string]string {
	bad := map[string]string{}
	setDefault(&m.TokenEndpointAuthMethod, AuthBasic)
	setDefault(&m.SubjectType, "pairwise")
	setDefault(&m.IDTokenSignedAlg, "RS256")
	setDefault(&m.Consent, ConsentOnce)
	setDefault(&m.Scope, strings.Join(SupportedScopes(), " "))
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{GrantCode, GrantRefreshToken}
	}
	byCode := slices.Contains(m.GrantTypes, GrantCode)
	if len(m.ResponseTypes) == 0 && byCode {
		m.ResponseTypes = []string{"code"}
	}
	if m.RequirePKCE == nil {
		must := m.TokenEndpointAuthMethod == AuthNone
		m.RequirePKCE = &must
	}
	if !validClientID(m.ClientID) {
		bad["client_id"] = "1 to 128 characters out of A-Z a-z 0-9 . _ ~ -"
	}
	setDefault(&m.ClientName, m.ClientID)
	if len([]rune(m.ClientName)) > 200 || strings.ContainsFunc(m.ClientName, isControl) {
		bad["client_name"] = "at most 200 characters, no control characters"
	}
	oneOf(bad, "token_endpoint_auth_method", m.TokenEndpointAuthMethod, AuthMethods()...)
	oneOf(bad, "subject_type", m.SubjectType, "pairwise", "public")
	oneOf(bad, "id_token_signed_response_alg", m.IDTokenSignedAlg, SigningAlgs()...)
	oneOf(bad, "consent", m.Consent, ConsentAlways, ConsentOnce, ConsentNever)
	if m.SecondFactor != "" {
		oneOf(bad, "second_factor", m.SecondFactor, SecondFactors()...)
	}
	for _, g := range m.GrantTypes {
		oneOf(bad, "grant_types", g, GrantTypes()...)
	}
	for _, r := range m.ResponseTypes {
		oneOf(bad, "response_types", r, "code")
	}
	for _, s := range strings.Fields(m.Scope) {
		oneOf(bad, "scope", s, SupportedScopes()...)
	}
	for _, c := range m.IDTokenClaims {
		oneOf(bad, "id_token_claims", c, PersonClaims()...)
	}
	if m.TokenEndpointAuthMethod == AuthNone && !*m.RequirePKCE {
		bad["require_pkce"] = "a public client always uses PKCE (RFC 9700 §2.1.1)"
	}
	if m.MinAccountLevel < 0 || m.MinAccountLevel > 2 {
		bad["min_account_level"] = "0, 1 or 2"
	}
	for name, seconds := range map[string]int{"access_token_lifetime": m.AccessTokenLifetime,
		"id_token_lifetime": m.IDTokenLifetime, "refresh_token_lifetime": m.RefreshTokenLifetime} {
		if seconds < 0 || seconds > 366*24*3600 {
			bad[name] = "0 (the policy's) to 31622400 seconds"
		}
	}
	if len(m.RedirectURIs) == 0 && byCode {
		bad["redirect_uris"] = "at least one is needed for authorization_code"
	}
	for i, u := range m.RedirectURIs {
		if msg := CheckURI(u, allowHosts); msg != "" {
			bad[fmt.Sprintf("redirect_uris[%d]", i)] = msg
		}
	}
	for i, u := range m.PostLogoutRedirectURIs {
		if msg := CheckURI(u, allowHosts); msg != "" {
			bad[fmt.Sprintf("post_logout_redirect_uris[%d]", i)] = msg
		}
	}
	m.checkBackchannel(bad, allowHosts)
	m.checkFrontchannel(bad, allowHosts)
	m.checkKeys(bad, allowHosts)
	if m.SectorIdentifierURI != "" {
		if msg := CheckURI(m.SectorIdentifierURI, allowHosts); msg != "" {
			bad["sector_identifier_uri"] = msg
		}
	}
	return bad
}

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

func oneOf(bad map[string]string, field, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		bad[field] = fmt.Sprintf("%q is none of %s", value, strings.Join(allowed, ", "))
	}
}

func validClientID(s string) bool {
	if len(s) == 0 || len(s) > 128 {
		return false
	}
	for _, r := range s {
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-", r) {
			return false
		}
	}
	return true
}

// CheckURI says why a URI may not be registered, "" when it may: the sandbox
// sends browsers only to test machines, and never to a real state host.
func CheckURI(raw string, allowHosts []string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil || len(raw) > 2000 || strings.ContainsFunc(raw, func(r rune) bool { return r <= 0x20 || r == 0x7f || r == '\\' }):
		return "not an absolute URI"
	case u.Scheme != "http" && u.Scheme != "https":
		return "must begin with http:// or https://"
	case u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return "has no host"
	case u.User != nil:
		return "must not carry a user name or password"
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return "must not have a fragment (RFC 6749 §3.1.2)"
	}
	return CheckHost(u.Hostname(), allowHosts)
}

// IsGovHost reports whether a host lies under .gov.vn. Nothing of the sandbox
// may ever be named so. It sees the name as a browser does (UTS #46): wide
// letters and ideographic full stops are ASCII, invisible characters are not
// there.
func IsGovHost(host string) bool {
	h := strings.Map(func(r rune) rune {
		switch {
		case r == '。':
			return '.'
		case r > unicode.MaxASCII:
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(host))
	h = strings.TrimRight(h, ".")
	return h == "gov.vn" || strings.HasSuffix(h, ".gov.vn")
}

// CheckHost says why a host is no test machine, "" when it is one.
func CheckHost(host string, allowHosts []string) string {
	if IsGovHost(host) {
		return "hosts under .gov.vn are refused, always"
	}
	h := strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(h); err == nil {
		zone := ip.Zone()
		ip = ip.Unmap()
		switch {
		case zone != "":
			return "addresses with a zone are refused: no browser opens them"
		case ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || ip.IsMulticast() || ip.IsUnspecified():
			return "link-local, multicast and unspecified addresses are refused"
		case ip.IsLoopback() || ip.IsPrivate() || slices.Contains(allowHosts, h):
			return ""
		}
		return "public address: only loopback and private addresses, or hosts named under allow_hosts"
	}
	// A host that is all digits and dots but no address in its usual form
	// (127.1, 0x7f000001) would be read differently by different programs.
	if strings.Trim(h, "0123456789.") == "" || strings.HasPrefix(h, "0x") || !plainHostname(host) {
		return "not a host name (international names go in their xn-- form)"
	}
	if !strings.Contains(h, ".") || slices.Contains(allowHosts, h) {
		return ""
	}
	for _, suffix := range []string{".test", ".localhost", ".internal", ".example"} {
		if strings.HasSuffix(h, suffix) {
			return ""
		}
	}
	return "only loopback, private addresses, single-label names, *.test, *.localhost, *.internal, *.example, or hosts named under allow_hosts"
}

// plainHostname holds a host against RFC 1123 §2.1, and forgives the underscore
// of container names. More would be read differently by different programs:
// a browser takes 。 for a dot, and a CSP takes ; for its end.
func plainHostname(host string) bool {
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if label == "" || len(label) > 63 ||
			strings.Trim(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return false
		}
	}
	return len(host) <= 254
}

// MatchRedirectURI reports whether a redirect URI of a request is registered,
// exact to the character (OIDC Core §3.1.2.1, RFC 9700 §2.1).
func (c *Client) MatchRedirectURI(uri string) bool {
	return slices.ContainsFunc(c.RedirectURIs, func(reg string) bool { return c.sameURI(reg, uri) })
}

// MatchPostLogoutURI is the same for the end of a session.
func (c *Client) MatchPostLogoutURI(uri string) bool {
	return slices.ContainsFunc(c.PostLogoutRedirectURIs, func(reg string) bool { return c.sameURI(reg, uri) })
}

func (c *Client) sameURI(registered, uri string) bool {
	if registered == uri {
		return true
	}
	if !c.LoopbackAnyPort {
		return false
	}
	// RFC 8252 §7.3: the port may vary, and nothing else. Compare what is left
	// when a canonical port is taken out of the requested URI.
	u, err := url.Parse(uri)
	if err != nil || !canonicalPort(u.Port()) || (u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1") {
		return false
	}
	return strings.Replace(uri, "//"+u.Hostname()+":"+u.Port(), "//"+u.Hostname(), 1) == registered
}

// canonicalPort reports whether s is a port as everybody reads it. Of 65616
// some programs make 80, and a browser refuses to go there.
func canonicalPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == s
}

// Sector is the sector identifier of OIDC Core §8.1: the host of the
// sector_identifier_uri, or the client itself. (One host here serves many
// unrelated test clients, so the redirect URI's host would join them.)
func (c *Client) Sector() string {
	if u, err := url.Parse(c.SectorIdentifierURI); err == nil && c.SectorIdentifierURI != "" {
		return "host:" + u.Host
	}
	return "client:" + c.ClientID
}

// Subject is the sub this client sees for an account.
func (c *Client) Subject(salt []byte, accountID string) string {
	if c.SubjectType == "public" {
		return accountID
	}
	return PairwiseSubject(salt, c.Sector(), accountID)
}

// AllowsScope reports whether the client is registered for a scope.
func (c *Client) AllowsScope(scope string) bool {
	return slices.Contains(strings.Fields(c.Scope), scope)
}

// AllowsGrant reports whether the client is registered for a grant type.
func (c *Client) AllowsGrant(grant string) bool { return slices.Contains(c.GrantTypes, grant) }

// CheckSecret compares a presented secret in constant time.
func (c *Client) CheckSecret(secret string) bool {
	return c.SecretHash != "" && constantTimeEqual(c.SecretHash, SecretHash(secret))
}

func lifetime(seconds int, policy time.Duration) time.Duration {
	if seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	return policy
}

// CheckVerifier reports whether a PKCE verifier belongs to an S256 challenge,
// RFC 7636 §4.6.
func CheckVerifier(challenge, verifier string) bool {
	return ValidVerifier(verifier) && constantTimeEqual(challenge, SecretHash(verifier))
}

// ValidVerifier holds a verifier against the grammar of RFC 7636 §4.1.
func ValidVerifier(v string) bool {
	return len(v) >= 43 && len(v) <= 128 &&
		strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") == ""
}

// ValidChallenge reports whether a challenge can be the base64url of a
// SHA-256, RFC 7636 §4.2.
func ValidChallenge(c string) bool {
	_, err := base64.RawURLEncoding.Strict().DecodeString(c)
	return err == nil && len(c) == 43 && !strings.ContainsAny(c, "\r\n") // the decoder skips line ends
}

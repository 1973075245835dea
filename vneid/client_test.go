package vneid

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNormalizeFillsInTheDefaults(t *testing.T) {
	m := ClientMetadata{ClientID: "portal", RedirectURIs: []string{"http://127.0.0.1:9999/callback"}}
	if bad := m.Normalize(nil); len(bad) > 0 {
		t.Fatal(bad)
	}
	if m.ClientName != "portal" || m.TokenEndpointAuthMethod != AuthBasic || m.SubjectType != "pairwise" || m.IDTokenSignedAlg != "RS256" ||
		m.Consent != ConsentOnce || m.Scope != strings.Join(SupportedScopes(), " ") || m.RequirePKCE == nil || *m.RequirePKCE ||
		!slices.Equal(m.GrantTypes, []string{"authorization_code", "refresh_token"}) || !slices.Equal(m.ResponseTypes, []string{"code"}) {
		t.Errorf("%+v", m)
	}
	before := m
	if bad := m.Normalize(nil); len(bad) > 0 || m.Scope != before.Scope || m.RequirePKCE != before.RequirePKCE {
		t.Errorf("a second time it says %v", bad)
	}
	public := ClientMetadata{ClientID: "app", RedirectURIs: m.RedirectURIs, TokenEndpointAuthMethod: AuthNone}
	if bad := public.Normalize(nil); len(bad) > 0 || !*public.RequirePKCE {
		t.Errorf("a public client: %v, require_pkce %v", bad, *public.RequirePKCE)
	}
}

func TestNormalizeReportsEveryInvalidField(t *testing.T) {
	no := false
	for _, tc := range []struct {
		name   string
		change func(*ClientMetadata)
		bad    []string
	}{
		{"a good one", func(*ClientMetadata) {}, nil},
		{"everything wrong at once", func(m *ClientMetadata) {
			*m = ClientMetadata{ClientID: "a b", ClientName: "x\ny", TokenEndpointAuthMethod: "client_secret_jwt", SubjectType: "secret",
				IDTokenSignedAlg: "none", Consent: "sometimes", GrantTypes: []string{"implicit"}, ResponseTypes: []string{"token"}, Scope: "openid root",
				IDTokenClaims: []string{"password"}, MinAccountLevel: 3, AccessTokenLifetime: -1, IDTokenLifetime: 31622401, RefreshTokenLifetime: 1 << 62,
				RedirectURIs:           []string{"http://localhost/cb", "https://x.gov.vn/cb", "javascript:alert(1)"},
				PostLogoutRedirectURIs: []string{"https://example.com/"}, SectorIdentifierURI: "http://169.254.169.254/x"}
		}, []string{"access_token_lifetime", "client_id", "client_name", "consent", "grant_types", "id_token_claims", "id_token_lifetime",
			"id_token_signed_response_alg", "min_account_level", "post_logout_redirect_uris[0]", "redirect_uris[1]", "redirect_uris[2]",
			"refresh_token_lifetime", "response_types", "scope", "sector_identifier_uri", "subject_type", "token_endpoint_auth_method"}},
		{"nothing given", func(m *ClientMetadata) { *m = ClientMetadata{} }, []string{"client_id", "redirect_uris"}},
		{"a public client without PKCE", func(m *ClientMetadata) { m.TokenEndpointAuthMethod, m.RequirePKCE = AuthNone, &no }, []string{"require_pkce"}},
		{"a confidential client without PKCE", func(m *ClientMetadata) { m.RequirePKCE = &no }, nil},
		{"HS256", func(m *ClientMetadata) { m.IDTokenSignedAlg = "HS256" }, []string{"id_token_signed_response_alg"}},
		{"every algorithm", func(m *ClientMetadata) { m.IDTokenSignedAlg = "EdDSA" }, nil},
		{"one good and one bad grant", func(m *ClientMetadata) { m.GrantTypes = []string{"authorization_code", "password"} }, []string{"grant_types"}},
		{"a client id of 128 characters", func(m *ClientMetadata) { m.ClientID = strings.Repeat("x", 128) }, nil},
		{"a client id of 129 characters", func(m *ClientMetadata) { m.ClientID = strings.Repeat("x", 129) }, []string{"client_id"}},
		{"a slash in the client id", func(m *ClientMetadata) { m.ClientID = "a/b" }, []string{"client_id"}},
		{"a colon in the client id", func(m *ClientMetadata) { m.ClientID = "a:b" }, []string{"client_id"}},
		{"a Vietnamese client id", func(m *ClientMetadata) { m.ClientID = "cổng" }, []string{"client_id"}},
		{"invalid UTF-8 in the client id", func(m *ClientMetadata) { m.ClientID = "a\xff" }, []string{"client_id"}},
		{"a Vietnamese name", func(m *ClientMetadata) { m.ClientName = strings.Repeat("ổ", 200) }, nil},
		{"a year of access", func(m *ClientMetadata) { m.AccessTokenLifetime = 31622400 }, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := ClientMetadata{ClientID: "portal", RedirectURIs: []string{"http://127.0.0.1:9999/callback"}}
			tc.change(&m)
			if bad := m.Normalize(nil); !slices.Equal(slices.Sorted(maps.Keys(bad)), tc.bad) {
				t.Errorf("invalid: %v, want %v", bad, tc.bad)
			}
		})
	}
}

func TestAllowHostsOpensAHostForEveryURIOfAClient(t *testing.T) {
	m := ClientMetadata{ClientID: "portal", RedirectURIs: []string{"https://portal.congty.vn/cb"},
		PostLogoutRedirectURIs: []string{"https://portal.congty.vn/"}, SectorIdentifierURI: "https://portal.congty.vn/s.json"}
	if bad := m.Normalize(nil); len(bad) != 3 {
		t.Errorf("without allow_hosts: %v", bad)
	}
	if bad := m.Normalize([]string{"portal.congty.vn"}); len(bad) != 0 {
		t.Errorf("with allow_hosts: %v", bad)
	}
}

func TestASecretIsComparedAndAPublicClientHasNone(t *testing.T) {
	c := Client{SecretHash: SecretHash("thanhhoa-portal-secret")}
	if !c.CheckSecret("thanhhoa-portal-secret") {
		t.Error("the right secret is refused")
	}
	for _, wrong := range []string{"", "thanhhoa-portal-secre", "thanhhoa-portal-secret ", "THANHHOA-PORTAL-SECRET", c.SecretHash} {
		if c.CheckSecret(wrong) {
			t.Errorf("%q is accepted", wrong)
		}
	}
	for _, any := range []string{"", "x"} {
		if (&Client{}).CheckSecret(any) {
			t.Errorf("a public client has the secret %q", any)
		}
	}
}

func TestScopesAndGrantsAreWholeWords(t *testing.T) {
	c := Client{ClientMetadata: ClientMetadata{Scope: "openid profile", GrantTypes: []string{"authorization_code"}}}
	for scope, want := range map[string]bool{"openid": true, "profile": true, "": false, "open": false, "cccd": false, "openid profile": false, "OPENID": false} {
		if c.AllowsScope(scope) != want {
			t.Errorf("scope %q: %v", scope, !want)
		}
	}
	if !c.AllowsGrant("authorization_code") || c.AllowsGrant("refresh_token") || c.AllowsGrant("") {
		t.Error("grant types")
	}
}

func TestCheckVerifier(t *testing.T) {
	// The example of RFC 7636 Appendix B.
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	if !CheckVerifier(challenge, verifier) {
		t.Error("the example of the RFC is refused")
	}
	short, long := strings.Repeat("a", 42), strings.Repeat("a", 129)
	for _, tc := range []struct{ challenge, verifier string }{
		{challenge, ""}, {"", ""}, {"", verifier}, {challenge, verifier + "a"}, {challenge, verifier[:42] + "l"}, {challenge, challenge},
		{verifier, verifier},                                      // "plain" is not supported
		{challenge + "=", verifier}, {challenge, verifier + "\n"}, // padding, a line end
		{SecretHash(short), short}, {SecretHash(long), long}, // right hash, forbidden length
		{SecretHash(verifier[:42] + "ạ"), verifier[:42] + "ạ"}, {SecretHash(verifier + " "), verifier + " "},
	} {
		if CheckVerifier(tc.challenge, tc.verifier) {
			t.Errorf("challenge %q, verifier %q pass", tc.challenge, tc.verifier)
		}
	}
	for _, v := range []string{strings.Repeat("a", 43), strings.Repeat("~", 128), strings.Repeat("-._~Az09", 8)} {
		if !ValidVerifier(v) || !CheckVerifier(SecretHash(v), v) {
			t.Errorf("%q is refused", v)
		}
	}
}

func TestValidChallenge(t *testing.T) {
	good := SecretHash("anything")
	if !ValidChallenge(good) {
		t.Fatalf("%q is refused", good)
	}
	for _, bad := range []string{"", "a", good[:42], good + "A", good + "=", good[:42] + "=", good[:42] + "+", good[:42] + "/", good[:42] + "B",
		good + "\n", good[:20] + "\r\n" + good[20:], good[:41] + "\n" + good[41:42], strings.Repeat("ạ", 20)} {
		if ValidChallenge(bad) {
			t.Errorf("%q passes for a SHA-256", bad)
		}
	}
}

func TestLifetimesOfAClientReplaceThePolicy(t *testing.T) {
	if lifetime(0, time.Minute) != time.Minute || lifetime(5, time.Minute) != 5*time.Second || lifetime(31622400, time.Minute) != 366*24*time.Hour {
		t.Error("lifetime")
	}
}

func TestConsentCoversWhatWasGivenAndNoMore(t *testing.T) {
	c := &Consent{Scopes: []string{"openid", "profile"}}
	for _, tc := range []struct {
		scopes []string
		want   bool
	}{{nil, true}, {[]string{"openid"}, true}, {[]string{"profile", "openid"}, true}, {[]string{"openid", "cccd"}, false}, {[]string{"prof"}, false}} {
		if c.Covers(tc.scopes) != tc.want {
			t.Errorf("%v: %v", tc.scopes, !tc.want)
		}
	}
	c.WithdrawnAt = noon
	if c.Covers([]string{"openid"}) || (*Consent)(nil).Covers(nil) {
		t.Error("withdrawn or missing consent covers something")
	}
}

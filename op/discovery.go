package op

import (
	"net/http"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// metadata is the discovery document: the library's type and what it lacks.
// It tells the truth: what works, and nothing else.
type metadata struct {
	oidc.DiscoveryConfiguration
	IssInResponse bool `json:"authorization_response_iss_parameter_supported"` // RFC 9207 §3
	// Sent though false: their default is true (OIDC Discovery §3), or absence
	// is read as "unknown".
	ClaimsParameter bool `json:"claims_parameter_supported"`
	RequestParam    bool `json:"request_parameter_supported"`
}

func (p *Provider) discovery(w http.ResponseWriter, r *http.Request) {
	issuer := vneid.WorldFrom(r.Context()).Issuer
	body, ok := p.documents.Load(issuer)
	if !ok {
		// Clients ask at every start and some at every sign-in; it never
		// changes while we run, and there are no more of them than worlds.
		body, _ = p.documents.LoadOrStore(issuer, document(issuer))
	}
	w.Header().Set("Cache-Control", "public, max-age=60")
	writeJSONBytes(w, http.StatusOK, body.([]byte))
}

// document is the metadata of an issuer, encoded.
func document(issuer string) []byte {
	methods := []oidc.AuthMethod{oidc.AuthMethodBasic, oidc.AuthMethodPost, oidc.AuthMethodPrivateKeyJWT, oidc.AuthMethodNone}
	confidential := methods[:3]
	var grants []oidc.GrantType
	for _, g := range vneid.GrantTypes() {
		grants = append(grants, oidc.GrantType(g))
	}
	m := metadata{IssInResponse: true, DiscoveryConfiguration: oidc.DiscoveryConfiguration{
		Issuer:                                          issuer,
		AuthorizationEndpoint:                           issuer + pathAuthorize,
		TokenEndpoint:                                   issuer + pathToken,
		IntrospectionEndpoint:                           issuer + pathIntrospect,
		UserinfoEndpoint:                                issuer + pathUserinfo,
		RevocationEndpoint:                              issuer + pathRevoke,
		EndSessionEndpoint:                              issuer + pathEndSession,
		JwksURI:                                         issuer + pathKeys,
		ScopesSupported:                                 vneid.SupportedScopes(),
		ResponseTypesSupported:                          []string{"code"},
		ResponseModesSupported:                          responseModes,
		GrantTypesSupported:                             grants,
		ACRValuesSupported:                              []string{"LoA1", "LoA2"},
		SubjectTypesSupported:                           []string{"pairwise", "public"},
		IDTokenSigningAlgValuesSupported:                vneid.SigningAlgs(),
		UserinfoSigningAlgValuesSupported:               vneid.SigningAlgs(),
		TokenEndpointAuthMethodsSupported:               methods,
		TokenEndpointAuthSigningAlgValuesSupported:      vneid.SigningAlgs(),
		RevocationEndpointAuthSigningAlgValuesSupported: vneid.SigningAlgs(),
		IntrospectionEndpointAuthSigningAlgValuesSupported: vneid.SigningAlgs(),
		RevocationEndpointAuthMethodsSupported:             methods,
		IntrospectionEndpointAuthMethodsSupported:          confidential,
		BackChannelLogoutSupported:                         true,
		BackChannelLogoutSessionSupported:                  true,
		ClaimTypesSupported:                                []string{"normal"},
		ClaimsSupported:                                    supportedClaims,
		CodeChallengeMethodsSupported:                      []oidc.CodeChallengeMethod{oidc.CodeChallengeMethodS256},
		UILocalesSupported:                                 oidc.ParseLocales([]string{"vi", "en"}),
	}}
	return encode(m)
}

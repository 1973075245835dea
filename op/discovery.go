package op

import (
	"net/http"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// mostDocuments bounds the discovery documents kept encoded, of 2 KB each.
const mostDocuments = 2_000

// metadata is the discovery document: the library's type and what it lacks.
// It tells the truth: what works, and nothing else.
type metadata struct {
	oidc.DiscoveryConfiguration
	IssInResponse bool `json:"authorization_response_iss_parameter_supported"` // RFC 9207 §3
	RequestParam  bool `json:"request_parameter_supported"`                    // sent though false: absence is read as "unknown"
	FrontLogout   bool `json:"frontchannel_logout_supported"`                  // OIDC Front-Channel Logout §3
	FrontSession  bool `json:"frontchannel_logout_session_supported"`
}

func (p *Provider) discovery(w http.ResponseWriter, r *http.Request) {
	world := vneid.WorldFrom(r.Context())
	issuer, front := world.Issuer, world.Front()
	body, ok := p.documents.Load(issuer + " " + front)
	if !ok {
		// Clients ask at every start and some at every sign-in; it never
		// changes while we run. Who asks may choose the issuer's port, so not
		// all that were ever asked for are kept.
		body = document(issuer, front)
		if p.documented.Add(1) <= mostDocuments {
			p.documents.Store(issuer+" "+front, body)
		}
	}
	w.Header()["Cache-Control"] = forAMinute
	writeJSONBytes(w, http.StatusOK, body.([]byte))
}

// document is the metadata of an issuer, encoded. front is where browsers are
// sent to: nothing asks endpoints to stand below the issuer (OIDC Discovery §3).
func document(issuer, front string) []byte {
	methods := []oidc.AuthMethod{oidc.AuthMethodBasic, oidc.AuthMethodPost, oidc.AuthMethodPrivateKeyJWT, oidc.AuthMethodNone}
	confidential := methods[:3]
	var grants []oidc.GrantType
	for _, g := range vneid.GrantTypes() {
		grants = append(grants, oidc.GrantType(g))
	}
	m := metadata{IssInResponse: true, FrontLogout: true, FrontSession: true, DiscoveryConfiguration: oidc.DiscoveryConfiguration{
		Issuer:                                             issuer,
		AuthorizationEndpoint:                              front + pathAuthorize,
		TokenEndpoint:                                      issuer + pathToken,
		IntrospectionEndpoint:                              issuer + pathIntrospect,
		UserinfoEndpoint:                                   issuer + pathUserinfo,
		RevocationEndpoint:                                 issuer + pathRevoke,
		DeviceAuthorizationEndpoint:                        issuer + pathDevice,
		EndSessionEndpoint:                                 front + pathEndSession,
		JwksURI:                                            issuer + pathKeys,
		ScopesSupported:                                    vneid.SupportedScopes(),
		ResponseTypesSupported:                             []string{"code"},
		ResponseModesSupported:                             responseModes,
		GrantTypesSupported:                                grants,
		ACRValuesSupported:                                 []string{"LoA1", "LoA2"},
		SubjectTypesSupported:                              []string{"pairwise", "public"},
		IDTokenSigningAlgValuesSupported:                   vneid.SigningAlgs(),
		UserinfoSigningAlgValuesSupported:                  vneid.SigningAlgs(),
		TokenEndpointAuthMethodsSupported:                  methods,
		TokenEndpointAuthSigningAlgValuesSupported:         vneid.SigningAlgs(),
		RevocationEndpointAuthSigningAlgValuesSupported:    vneid.SigningAlgs(),
		IntrospectionEndpointAuthSigningAlgValuesSupported: vneid.SigningAlgs(),
		RevocationEndpointAuthMethodsSupported:             methods,
		IntrospectionEndpointAuthMethodsSupported:          confidential,
		BackChannelLogoutSupported:                         true,
		BackChannelLogoutSessionSupported:                  true,
		ClaimTypesSupported:                                []string{"normal"},
		ClaimsParameterSupported:                           true,
		// No display=wap: the pages are for browsers of this century.
		DisplayValuesSupported:        []oidc.Display{oidc.DisplayPage, oidc.DisplayPopup, oidc.DisplayTouch},
		ClaimsLocalesSupported:        oidc.ParseLocales([]string{"vi"}),
		ClaimsSupported:               supportedClaims,
		CodeChallengeMethodsSupported: []oidc.CodeChallengeMethod{oidc.CodeChallengeMethodS256},
		UILocalesSupported:            oidc.ParseLocales([]string{"vi", "en"}),
	}}
	return encode(m)
}

// Package op is the provider: the OpenID Connect endpoints below an issuer. It
// parses and checks what relying parties send, mints ID tokens, and hands
// browsers to op/login. Who may sign in, and what may follow what, is decided
// in vneid.
//
// zitadel/oidc parses the back-channel requests and names their errors; its
// storage and token machinery are not used (docs/adr/0003). The provider does
// not know that its phones and people are invented.
package op

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"github.com/vneid-sandbox/vneid-sandbox/op/keyring"
	"github.com/vneid-sandbox/vneid-sandbox/op/login"
	"github.com/vneid-sandbox/vneid-sandbox/op/phoneapi"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Config is everything a provider is made of.
type Config struct {
	Store    vneid.Store
	Hasher   vneid.Hasher
	SMS      vneid.SMSGateway
	Rand     vneid.Rand
	Logger   *slog.Logger
	HelpURL  string       // of the default world's sandbox, linked from the pages; "" = none
	ScanPath string       // of the phone app, below the sandbox of a world: it takes codes there; "" = no QR codes are shown
	CodePath string       // of the phone app, too: what QR codes say, so it is short
	Metrics  *metrics.Set // nil = a set of its own
	// Recorder takes what is told to clients without a request of theirs; nil =
	// nobody. What belongs to a request goes to its vneid.Trail.
	Recorder vneid.Recorder
	// RecordPath, in the sandbox, is followed by the id of a record that a
	// developer may read; "" = there is none.
	RecordPath string
	// TrustedCAs vouch for clients that are told of logouts by https; nil = the
	// system's.
	TrustedCAs *x509.CertPool

	// Outward, when it is set, stands between the provider and the relying
	// parties that it calls.
	Outward func(http.RoundTripper) http.RoundTripper

	// MaxWaiting is how many browsers may wait for a phone at a time, each with
	// a connection of its own; 0 = 15,000.
	MaxWaiting int

	// Of the signing keys, see keyring.Config; all may be zero.
	SealingKey, OldSealingKey []byte
	KeyRotation               time.Duration
	KeyPace                   time.Duration
}

// Provider is an http.Handler for everything below the issuer. Each request
// carries its world in its context (vneid.WithWorld).
type Provider struct {
	service *vneid.Service
	pages   *login.Pages
	phones  *phoneapi.API
	keys    *keyring.Ring
	logger  *slog.Logger
	metrics *metrics.Set
	outward *http.Client
	records vneid.Recorder
	mux     *http.ServeMux

	clientKeys *clientKeys
	exact      map[string]http.HandlerFunc // "GET /keys": of machines, without a pattern

	documents  sync.Map // issuer and front → the discovery document, encoded
	documented atomic.Int64
}

// Paths of the endpoints below the issuer.
const (
	pathDiscovery  = "/.well-known/openid-configuration"
	pathAuthorize  = "/authorize"
	pathToken      = "/oauth/token"
	pathUserinfo   = "/userinfo"
	pathKeys       = "/keys"
	pathIntrospect = "/oauth/introspect"
	pathRevoke     = "/revoke"
	pathDevice     = "/device_authorization"
	pathEndSession = "/end_session"
	pathSignOut    = "/end_session/confirm"
	pathPerson     = "/person"
	pathPicture    = "/person.svg"
)

// New builds a provider.
func New(ctx context.Context, c Config) (*Provider, error) {
	service := vneid.NewService(c.Store, c.Hasher, c.SMS, c.Rand)
	help := login.Help{URL: strings.TrimSuffix(c.HelpURL, "/"), Scan: c.ScanPath, Code: c.CodePath, Record: c.RecordPath}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	keys, err := keyring.New(keyring.Config{Store: c.Store, Logger: c.Logger, Rand: c.Rand,
		SealingKey: c.SealingKey, OldSealingKey: c.OldSealingKey, Rotation: c.KeyRotation, Pace: c.KeyPace})
	if err != nil {
		return nil, err
	}
	p := &Provider{
		service: service,
		pages: &login.Pages{Service: service, Logger: c.Logger, Help: help,
			Hub: login.NewHub(service, c.Logger, c.Metrics, c.MaxWaiting), Metrics: c.Metrics},
		phones:  &phoneapi.API{Service: service, Logger: c.Logger, CodeURL: help.CodeURL},
		keys:    keys,
		logger:  c.Logger,
		metrics: c.Metrics,
		records: c.Recorder,
		outward: newOutward(&http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.TrustedCAs, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 2}),
		mux:     http.NewServeMux(),
	}
	if c.Outward != nil {
		p.outward.Transport = c.Outward(p.outward.Transport)
	}
	p.clientKeys = &clientKeys{outward: p.outward, clock: service.Machine}
	p.routes()
	return p, nil
}

// Close ends what the provider keeps open: the streams of browsers that wait
// for a phone, which http.Server.Shutdown does not know or would wait for.
func (p *Provider) Close() { p.pages.Hub.Close() }

func (p *Provider) routes() {
	backChannel := zitadel.RegisterServer(&backChannelServer{p: p}, zitadel.Endpoints{
		Token:         zitadel.NewEndpoint(pathToken),
		Introspection: zitadel.NewEndpoint(pathIntrospect),
		Revocation:    zitadel.NewEndpoint(pathRevoke),

		DeviceAuthorization: zitadel.NewEndpoint(pathDevice),
	}, zitadel.WithServerCORSOptions(nil))

	p.exact = map[string]http.HandlerFunc{
		"GET " + pathDiscovery:   cors(p.discovery),
		"GET " + pathKeys:        cors(p.jwks),
		"POST " + pathToken:      cors(p.backChannel(backChannel)),
		"POST " + pathIntrospect: p.backChannel(backChannel),
		"POST " + pathRevoke:     cors(p.backChannel(backChannel)),
		"POST " + pathDevice:     withOrigin(p.backChannel(backChannel), login.OriginOf),
		"GET " + pathUserinfo:    cors(p.userinfo),
		"POST " + pathUserinfo:   cors(p.userinfo),
	}
	for pattern, h := range p.exact {
		p.mux.HandleFunc(pattern, h)
	}
	p.mux.HandleFunc("GET "+pathAuthorize, p.authorize)
	p.mux.HandleFunc("POST "+pathAuthorize, p.authorize)
	p.mux.HandleFunc("GET "+pathEndSession, p.endSession)
	p.mux.HandleFunc("POST "+pathEndSession, p.endSession)
	p.mux.HandleFunc("POST "+pathSignOut, p.confirmSignOut)
	for _, open := range []string{pathDiscovery, pathKeys, pathToken, pathRevoke, pathUserinfo} {
		p.mux.HandleFunc("OPTIONS "+open, preflight)
	}
	p.pages.Routes(p.mux)
	p.phones.Routes(p.mux)
	p.mux.HandleFunc("GET /{$}", p.home)
	p.mux.HandleFunc("GET "+pathPerson, p.person)
	p.mux.HandleFunc("GET "+pathPicture, p.picture)
}

// ServeHTTP serves a request whose path stands below the issuer.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["X-Robots-Tag"] = noindex
	// What machines ask thousands of times needs no search through the patterns.
	message(vneid.TrailFrom(r.Context()), r)
	if h := p.exact[r.Method+" "+r.URL.Path]; h != nil {
		h(w, r)
		return
	}
	handler, pattern := p.mux.Handler(r)
	switch {
	case path.Clean(r.URL.Path) != r.URL.Path, strings.HasSuffix(pattern, r.URL.Path+"/"):
		p.noSuchPage(w, r, http.NotFoundHandler()) // the mux would redirect to what it knows, and out of the world; ours are exact
	case pattern == "":
		p.noSuchPage(w, r, handler)
	case r.Method == http.MethodHead && changesSomething(pattern):
		p.noSuchPage(w, r, http.HandlerFunc(refuseHEAD)) // not handler: asking it for its status would run it
	default:
		p.mux.ServeHTTP(w, r) // again through the mux: it sets the path values
	}
}

// changesSomething tells the GETs that begin a login, give out a code or end a
// session. HEAD is safe (RFC 9110 §9.2.1), so they have none.
func changesSomething(pattern string) bool {
	return strings.HasSuffix(pattern, pathAuthorize) || strings.HasSuffix(pattern, pathEndSession) || strings.Contains(pattern, " /login/")
}

func refuseHEAD(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", "GET")
	if r.URL.Path == pathEndSession {
		w.Header().Set("Allow", "GET, POST")
	}
	w.WriteHeader(http.StatusMethodNotAllowed)
}

// noSuchPage answers what the mux does not know in the form the caller reads:
// a page for browsers, RFC 6749 JSON for the endpoints of machines.
func (p *Provider) noSuchPage(w http.ResponseWriter, r *http.Request, refusal http.Handler) {
	probe := &statusOnly{header: http.Header{}}
	refusal.ServeHTTP(probe, r)
	if allow := probe.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
	}
	if r.URL.Path == pathAuthorize {
		probe.status = http.StatusMethodNotAllowed
		w.Header().Set("Allow", "GET, POST")
	}
	trail := vneid.TrailFrom(r.Context())
	trail.RefuseOAuth("method_not_allowed", r.Method+" is not possible here", "request.method", printable(r.Method), w.Header().Get("Allow"))
	if strings.HasPrefix(r.URL.Path, phoneapi.Prefix) {
		writeOAuthError(w, probe.status, "invalid_request", "no such call; calls are POST and listed in docs/phoneapi.md")
		return
	}
	switch r.URL.Path {
	case pathToken, pathIntrospect, pathRevoke, pathDevice, pathUserinfo, pathKeys, pathDiscovery:
		if trail != nil {
			trailAuthorization(trail, r)
			trail.Params(vneid.InQuery, r.URL.Query())
			trail.Client(r.URL.Query().Get("client_id"))
		}
		writeOAuthError(w, probe.status, "invalid_request", r.Method+" is not possible here; see the Allow header")
		return
	}
	key := "not_found"
	if probe.status == http.StatusMethodNotAllowed {
		key = "method_not_allowed"
	}
	v := templates.Problem(p.pages.Frame(w, r), key)
	v.Status = probe.status
	if err := p.pages.Render(w, r, probe.status, v); err != nil {
		p.pages.Fail(w, r, err)
	}
}

// statusOnly learns what a handler would answer.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) Write(b []byte) (int, error) { return len(b), nil }
func (s *statusOnly) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
}

// cors lets browser apps of any origin read an endpoint that looks at no
// cookie. No other endpoint has it, and none ever allows credentials.
func cors(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header()[allowOrigin] = anyOrigin
		h(w, r)
	}
}

const allowOrigin = "Access-Control-Allow-Origin"

// Values of headers that answers share: Header.Set would make a list for each.
var (
	anyOrigin  = []string{"*"}
	noindex    = []string{"noindex"}
	nosniff    = []string{"nosniff"}
	mediaJSON  = []string{"application/json"}
	noStore    = []string{"no-store"}
	noCache    = []string{"no-cache"}
	forAMinute = []string{"public, max-age=60"}
)

// challenge says how to authenticate, also to a browser app that may read the
// answer.
func challenge(w http.ResponseWriter, how string) {
	h := w.Header()
	h.Set("WWW-Authenticate", how)
	if h.Get(allowOrigin) != "" {
		h.Set("Access-Control-Expose-Headers", "WWW-Authenticate")
	}
}

func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h[allowOrigin] = anyOrigin
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// home says what this address is to somebody who opens the issuer.
func (p *Provider) home(w http.ResponseWriter, r *http.Request) {
	f := p.pages.Frame(w, r)
	v := templates.MessageView{Frame: f, Kind: "info", Title: f.T("issuer.title"), What: f.T("issuer.what"),
		Why: f.T("issuer.why"), Next: f.T("issuer.next"), Status: http.StatusOK,
		Links: []templates.Link{{Text: f.T("issuer.discovery"), URL: login.BasePath(r) + pathDiscovery}}}
	if help := p.pages.Help.In(vneid.WorldFrom(r.Context())); help != "" {
		v.Links = append(v.Links, templates.Link{Text: f.T("issuer.sandbox"), URL: help, Primary: true})
	}
	if err := p.pages.Render(w, r, http.StatusOK, v); err != nil {
		p.pages.Fail(w, r, err)
	}
}

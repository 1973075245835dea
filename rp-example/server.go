package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// portal is everything a request needs.
type portal struct {
	cfg         config
	store       *store
	op          *provider
	redeem      func(context.Context, *metadata, string, attempt) (*signedInPerson, error) // a code for a person: oidc.go
	arrive      func(*visit, arrival) (arrived, error)                                     // a person for an account: arrival.go
	dancu       *populationDB
	hasher      hasher
	nobodysHash string
	log         *slog.Logger
	now         func() time.Time
	stop        context.CancelFunc
	stopped     chan struct{}
}

// newPortal opens the store and gets ready to serve; it does not talk to the
// provider. argon2id with 19 MiB and two passes is OWASP's floor.
func newPortal(ctx context.Context, cfg config, log *slog.Logger, now func() time.Time) (*portal, error) {
	return newPortalWith(ctx, cfg, log, now, newHasher(19<<10, 2))
}

func newPortalWith(ctx context.Context, cfg config, log *slog.Logger, now func() time.Time, h hasher) (*portal, error) {
	st, err := openStore(ctx, cfg.Database, now)
	if err != nil {
		return nil, err
	}
	p := &portal{cfg: cfg, store: st, op: newProvider(cfg, now), dancu: newPopulationDB(cfg, now), hasher: h, log: log, now: now, stopped: make(chan struct{})}
	p.redeem = p.op.redeem
	p.arrive = func(v *visit, in arrival) (arrived, error) {
		return st.arrive(v.r.Context(), v.session, in, cfg.IssuerBefore)
	}
	p.cfg.edition.prepare(p)
	p.nobodysHash = h.hash(secret())
	if err := p.seed(ctx); err != nil {
		st.db.Close()
		return nil, fmt.Errorf("seed the portal: %w", err)
	}
	ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	go p.sweep(ctx)
	return p, nil
}

func (p *portal) close() {
	p.stop()
	<-p.stopped
	if err := p.store.db.Close(); err != nil {
		p.log.Warn("close the database", "err", err)
	}
}

// sweep removes expired rows now and then every minute.
func (p *portal) sweep(ctx context.Context) {
	defer close(p.stopped)
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		if err := p.store.purge(ctx); err != nil && ctx.Err() == nil {
			p.log.Warn("sweep", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

type route struct {
	method, path string
	do           func(*visit) error
}

// routes is every address of the portal.
func (p *portal) routes() []route {
	return []route{
		{"GET", "/{$}", p.home},
		{"GET", "/procedures/{code}", p.procedure},
		{"GET", "/procedures/{code}/apply", p.signedIn(p.apply)}, // Nộp hồ sơ
		{"POST", "/procedures/{code}/apply", p.file},
		{"GET", "/dossiers", p.signedIn(p.dossiers)}, // Hồ sơ của tôi
		{"GET", "/dossiers/{id}", p.signedIn(p.dossier)},

		{"GET", "/login", p.choose},            // seed 003 step 1
		{"GET", "/login/vneid", p.signInVNeID}, // step 2
		{"GET", "/callback", p.callback},       // step 5
		{"GET", "/login/local", p.localPage},
		{"POST", "/login/local", p.localSignIn},
		{"POST", "/logout", p.signOut},
		{"POST", "/backchannel-logout", p.backchannelLogout},
		{"POST", "/step-up", p.signedIn(p.stepUp)},

		{"GET", "/identity/cccd", p.signedIn(p.numberPage)}, // seed 000 bước 2
		{"POST", "/identity/cccd", p.signedIn(p.updateNumber)},
		{"GET", "/link", p.signedIn(p.linkPage)},
		{"POST", "/link", p.signedIn(p.linkAnswer)},
		{"POST", "/link/start", p.signedIn(p.linkStart)},
		{"GET", "/who", p.signedIn(p.whoPage)},
		{"POST", "/who", p.signedIn(p.whoAnswer)},
		{"POST", "/identity/unlink/start", p.signedIn(p.unlinkStart)},
		{"GET", "/identity/unlink", p.signedIn(p.unlinkPage)},
		{"POST", "/identity/unlink", p.signedIn(p.unlink)},
		{"GET", "/linking-rules", p.linkingRules},

		{"GET", "/profile", p.signedIn(p.profile)},                // Thông tin cá nhân
		{"GET", "/profile/identity", p.signedIn(p.identityPage)},  // Thông tin định danh
		{"GET", "/profile/sign-ins", p.signedIn(p.signInHistory)}, // Lịch sử đăng nhập
		{"GET", "/profile/audit", p.signedIn(p.ownAudit)},

		{"POST", "/identity/role", p.signedIn(p.linkRole)},
		{"POST", "/identity/role/switch", p.signedIn(p.switchRole)},
		{"GET", "/officer", p.officer(p.officerDossiers)},
		{"GET", "/officer/dossiers/{id}", p.officer(p.officerDossier)},
		{"POST", "/officer/dossiers/{id}", p.officer(p.changeStatus)},
		{"GET", "/officer/audit", p.officer(p.officerAudit)},

		{"GET", "/language/{to}", p.language},
		{"GET", "/problem/{kind}", p.explainProblem},
		{"GET", "/assets/{file}", p.asset},
		{"GET", "/healthz", p.healthz},
	}
}

func (p *portal) handler() http.Handler {
	mux := http.NewServeMux()
	allowed := map[string][]string{}
	for _, rt := range p.cfg.edition.routes(p.routes()) {
		mux.HandleFunc(rt.method+" "+rt.path, p.serve(rt.do))
		allowed[rt.path] = append(allowed[rt.path], rt.method)
	}
	for path, methods := range allowed {
		mux.HandleFunc(path, p.serve(func(v *visit) error {
			v.w.Header().Set("Allow", strings.Join(methods, ", "))
			return &problem{kind: "method_not_allowed"}
		}))
	}
	mux.HandleFunc("/", p.serve(func(*visit) error { return &problem{kind: "not_found"} }))

	// A form of another site must not sign anybody in or out. Browsers say
	// where a request comes from; no token in the form is needed.
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(p.serve(func(*visit) error {
		return &problem{kind: "cross_site", err: errors.New("a form of another site")}
	}))
	return p.cfg.edition.outside(p.outermost(sameOrigin.Handler(mux)))
}

// outermost holds for every answer, errors included.
func (p *portal) outermost(next http.Handler) http.Handler {
	refuse := p.serve(func(v *visit) error {
		return &problem{kind: "host_refused", err: fmt.Errorf("the Host header is %q", tidy(v.r.Host, 80))}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		// form-action names the provider too: Chrome holds a form to it along
		// redirects, and Đăng xuất is a form that ends at the provider.
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+strings.Join(p.op.origins(), " "))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
		h.Set("X-Robots-Tag", "noindex, nofollow")
		// A callback's address holds a code: it must not travel on. Not
		// no-referrer, which would blank the Origin of our own forms.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store") // every page shows who is signed in
		limit := int64(16 << 10)
		if strings.HasSuffix(r.URL.Path, "/apply") { // 4,000 Vietnamese letters, percent-encoded
			limit = 64 << 10
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)

		began := p.now()
		watched := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			// No query, ever: the callback's holds code and state.
			p.log.Info("request", "method", r.Method, "path", tidy(r.URL.Path, 120), "status", watched.status, "ms", p.now().Sub(began).Milliseconds())
		}()
		if !p.knowsHost(r.Host) {
			refuse(watched, r)
			return
		}
		next.ServeHTTP(watched, r)
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// knowsHost refuses names that are not ours, or a page of a foreign name that
// points to this machine could read everything (DNS rebinding).
func (p *portal) knowsHost(host string) bool {
	if strings.EqualFold(host, p.cfg.host()) {
		return true
	}
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || (ip != nil && ip.IsLoopback())
}

// serve turns a handler that returns errors into one that answers: an error
// becomes a page, and is logged once, here.
func (p *portal) serve(do func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := &visit{p: p, w: w, r: r, lang: "vi", here: "/"}
		if p.cookie(r, "lang") == "en" {
			v.lang = "en"
		}
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			v.here = localPath(r.URL.RequestURI())
		}
		defer func() {
			if reason := recover(); reason != nil {
				p.log.Error("panic", "path", tidy(r.URL.Path, 120), "stack", string(debug.Stack()))
				p.fail(v, fmt.Errorf("panic: %v", reason))
			}
		}()
		var err error
		if cookie := p.cookie(r, "session"); cookie != "" {
			v.session, v.account, err = p.store.session(r.Context(), cookie)
		}
		if err == nil {
			err = do(v)
		}
		if err != nil {
			p.fail(v, err)
		}
	}
}

// signedIn lets signed-in people pass and sends the others to the choice, with
// the page they wanted.
func (p *portal) signedIn(do func(*visit) error) func(*visit) error {
	return func(v *visit) error {
		if v.account == nil {
			return v.redirect(withNext("/login", wantedPage(localPath(v.r.URL.RequestURI()))))
		}
		return do(v)
	}
}

func (p *portal) healthz(v *visit) error {
	if err := p.store.db.PingContext(v.r.Context()); err != nil {
		return fmt.Errorf("ask the database: %w", err)
	}
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := v.w.Write([]byte("ok\n"))
	return err
}

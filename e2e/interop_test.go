//go:build e2e

package e2e_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Relying parties that others wrote sign a citizen in, for real: each is a small program of interop/ around a library,
// or a server that people run in front of their own. What one needs is installed by install-tools.sh where its runtime
// exists; where it does not, the test says by name what was left out.

// stranger is a relying party that is not ours.
type stranger struct {
	name     string
	callback string   // below its own address
	method   string   // how it authenticates, "" = client_secret_basic
	bin      string   // what runs it
	args     []string // {…} comes from the environment of the relying party
	start    string   // where a sign-in begins, "" = /login
	home     string   // what shows who is signed in, "" = the page that the sign-in ends on
	logout   bool     // it has /logout
	needs    string   // a file without which it cannot run
	runtime  string   // a command that says whether its runtime is there
	prepare  func(t *testing.T, dir string, env map[string]string)
}

func strangers(t *testing.T) []stranger {
	here, err := filepath.Abs("interop")
	if err != nil {
		t.Fatal(err)
	}
	built, err := filepath.Abs("../build/interop")
	if err != nil {
		t.Fatal(err)
	}
	node := func(name string) (string, []string) {
		return "node", []string{filepath.Join(here, "node", name+".mjs")}
	}
	client, clientArgs := node("openid-client")
	passport, passportArgs := node("passport-openidconnect")
	return []stranger{
		{name: "openid-client 6 (Node)", callback: "/callback", bin: client, args: clientArgs, logout: true, runtime: "node", needs: filepath.Join(here, "node/node_modules/openid-client")},
		{name: "passport-openidconnect (Node)", method: "client_secret_post", callback: "/callback", bin: passport, args: passportArgs, runtime: "node", needs: filepath.Join(here, "node/node_modules/passport-openidconnect")},
		{name: "Authlib (Python)", callback: "/callback", bin: filepath.Join(built, "python/bin/python"), args: []string{filepath.Join(here, "python/authlib_rp.py")}, runtime: "python3", needs: filepath.Join(built, "python/bin/python")},
		{name: "Spring Security (Java)", start: "/oauth2/authorization/vneid", callback: "/callback", bin: "java", args: []string{"-Xshare:auto", "-XX:TieredStopAtLevel=1", "-jar", filepath.Join(here, "spring/target/spring.jar"),
			"--server.address=127.0.0.1", "--server.port={PORT}", "--spring.security.oauth2.client.provider.vneid.issuer-uri={ISSUER}",
			"--spring.security.oauth2.client.registration.vneid.client-id={CLIENT_ID}", "--spring.security.oauth2.client.registration.vneid.client-secret={CLIENT_SECRET}",
			"--spring.security.oauth2.client.registration.vneid.redirect-uri={BASE}/callback", "--spring.security.oauth2.client.registration.vneid.scope=openid,profile"},
			runtime: "mvn", needs: filepath.Join(here, "spring/target/spring.jar")},
		{name: "oauth2-proxy (Go)", callback: "/oauth2/callback", home: "/oauth2/userinfo", bin: filepath.Join(built, "oauth2-proxy"), runtime: "go", needs: filepath.Join(built, "oauth2-proxy"), args: []string{
			"--provider=oidc", "--oidc-issuer-url={ISSUER}", "--client-id={CLIENT_ID}", "--client-secret={CLIENT_SECRET}", "--redirect-url={BASE}/oauth2/callback",
			"--http-address=127.0.0.1:{PORT}", "--upstream=static://200", "--email-domain=*", "--oidc-email-claim=name", "--scope=openid profile",
			"--code-challenge-method=S256", "--insecure-oidc-skip-nonce=false", "--cookie-secret=only-for-this-test-thirty-two-b!", "--cookie-secure=false", "--skip-provider-button=true"}},
		{name: "mod_auth_openidc (Apache)", callback: "/login/callback", bin: "/usr/sbin/apache2", args: []string{"-DFOREGROUND", "-f", filepath.Join(here, "mod_auth_openidc.conf")}, runtime: "/usr/sbin/apache2",
			needs: "/usr/lib/apache2/modules/mod_auth_openidc.so", prepare: func(t *testing.T, dir string, env map[string]string) {
				page := `<!--#echo encoding="none" var="OIDC_CLAIM_name" -->`
				if err := os.MkdirAll(filepath.Join(dir, "pages/login"), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, "pages/login/index.html"), []byte("signed in: "+page), 0o644); err != nil {
					t.Fatal(err)
				}
				env["DIR"], env["USER"] = dir, "www-data"
			}},
	}
}

func TestForeignRelyingPartiesSignIn(t *testing.T) {
	for _, s := range strangers(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(s.runtime); err != nil { // install-tools.sh says so aloud
				t.Skipf("LEFT OUT: %s: its runtime %s is not on this machine", s.name, s.runtime)
			}
			if _, err := os.Stat(s.needs); err != nil {
				t.Fatalf("%v; %s", err, "install what the tests need with: make test-tools")
			}
			w := newWorld(t)
			base := s.run(t, w)
			b := newOutsider(t, w)
			page := b.signIn(base+cmp.Or(s.start, "/login"), "038090000001")
			if s.home != "" {
				page = b.open(base + s.home)
			}
			if !strings.Contains(page, "Nguyễn Văn An") {
				t.Fatalf("the relying party does not know who signed in: %.600s", page)
			}
			if s.logout {
				if page := b.open(base + "/logout"); page != "signed out" || b.at.String() != base+"/" {
					t.Errorf("after signing out at %s: %.300s", b.at, page)
				}
			}
		})
	}
}

// register makes a client of the relying party and returns what its program reads from the environment.
func (s *stranger) register(t *testing.T, w *world, base, port string) map[string]string {
	t.Helper()
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	w.api(t, http.StatusCreated, "POST", "/clients", map[string]any{"client_name": s.name, "consent": "once", "token_endpoint_auth_method": cmp.Or(s.method, "client_secret_basic"), "redirect_uris": []string{base + s.callback},
		"post_logout_redirect_uris": []string{base + "/"}}, &made)
	return map[string]string{"ISSUER": w.Issuer, "CLIENT_ID": made.ID, "CLIENT_SECRET": made.Secret, "BASE": base, "PORT": port}
}

// run registers the relying party, starts it and waits until it answers.
func (s *stranger) run(t *testing.T, w *world) (base string) {
	t.Helper()
	port := fmt.Sprint(freePort(t))
	base = "http://127.0.0.1:" + port
	dir, err := os.MkdirTemp("", "interop-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // a server that changes its user reads it too
		t.Fatal(err)
	}
	env := s.register(t, w, base, port)
	if s.prepare != nil {
		s.prepare(t, dir, env)
	}
	var pairs, list []string
	for name, value := range env {
		list, pairs = append(list, name+"="+value), append(pairs, "{"+name+"}", value)
	}
	args := make([]string, len(s.args))
	for i, arg := range s.args {
		args[i] = strings.NewReplacer(pairs...).Replace(arg)
	}
	log := &output{}
	p := startProcess(t, log, dir, s.bin, list, args...)
	t.Cleanup(func() {
		p.cmd.Process.Signal(os.Interrupt)
		select {
		case <-p.done:
		case <-time.After(5 * time.Second):
			p.kill()
		}
		if t.Failed() {
			t.Logf("what %s printed:\n%s", s.name, log)
			if more, err := os.ReadFile(filepath.Join(dir, "error.log")); err == nil {
				t.Logf("and its error log:\n%s", more)
			}
		}
	})
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		resp, err := w.http.Get(base + "/")
		if err == nil {
			resp.Body.Close()
			return base
		}
		if p.ended() || time.Now().After(deadline) {
			t.Fatalf("%s does not answer: %v\n%s", s.name, err, log)
		}
	}
}

// outsider is a browser without script on pages of anybody.
type outsider struct {
	t    *testing.T
	w    *world
	http *http.Client
	at   *url.URL
}

func newOutsider(t *testing.T, w *world) *outsider {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &outsider{t: t, w: w, http: &http.Client{Jar: jar, Transport: w.http.Transport, Timeout: 60 * time.Second}}
}

func (b *outsider) open(address string) string {
	b.t.Helper()
	req, err := http.NewRequest("GET", address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html") // mod_auth_openidc sends nobody else to sign in
	resp, err := b.http.Do(req)
	return b.read(resp, err)
}

func (b *outsider) read(resp *http.Response, err error) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.at = resp.Request.URL
	if resp.StatusCode >= 400 {
		b.t.Fatalf("%s: %s: %.600s", b.at, resp.Status, body)
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") { // ü written as \u00fc
		var v any
		if json.Unmarshal(body, &v) == nil {
			body = fmt.Append(nil, v)
		}
	}
	return string(body)
}

var signInForm = regexp.MustCompile(`<form[^>]*action="([^"]+/(password|otp|sharing))"`)

// signIn goes where the relying party sends the browser, and through the provider's pages.
func (b *outsider) signIn(address, cccd string) string {
	b.t.Helper()
	page := b.open(address)
	for range 6 {
		form := signInForm.FindStringSubmatch(page)
		if form == nil {
			return page
		}
		fields := url.Values{}
		switch form[2] {
		case "password":
			fields = url.Values{"username": {cccd}, "password": {password}}
		case "otp":
			fields = url.Values{"otp": {b.w.awaitSMS(b.t, "0950000001", 0).OTP}}
		case "sharing":
			fields = url.Values{"agree": {"yes"}, "decision": {"share"}}
		}
		target, err := b.at.Parse(form[1])
		if err != nil {
			b.t.Fatal(err)
		}
		resp, err := b.http.PostForm(target.String(), fields)
		page = b.read(resp, err)
	}
	b.t.Fatalf("the sign-in goes round in circles at %s", b.at)
	return ""
}

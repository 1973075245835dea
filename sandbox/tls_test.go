package sandbox_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
)

// trusting is a client that trusts the certificates of a file and no others.
func trusting(t *testing.T, file string) *http.Client {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		t.Fatalf("%s has no certificate", file)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: client.CheckRedirect, Timeout: 10 * time.Second}
}

// ask is a GET with headers "Name: value".
func ask(t *testing.T, c *http.Client, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// writePair makes a certificate that trusts itself, with its key, as somebody
// would bring them.
func writePair(t *testing.T, until time.Time, names ...string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
		DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestWithTLSBothListenersSpeakHTTPSToWhoeverTrustsThem(t *testing.T) {
	certFile, keyFile := writePair(t, time.Now().Add(24*time.Hour), "localhost")
	for name, c := range map[string]struct {
		tls   string
		trust string // "" = the local CA
	}{"the local CA": {"auto", ""}, "given files": {certFile + "," + keyFile, certFile}} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			r, _ := start(t, func(into *sandbox.Config) {
				into.TLS, into.Data, into.Listen = c.tls, data, "localhost:0"
			})
			if c.trust == "" {
				c.trust = filepath.Join(data, "ca.pem")
			}
			https := trusting(t, c.trust)
			if !strings.HasPrefix(r.Issuer, "https://localhost:") || !strings.HasPrefix(r.SandboxURL, "https://127.0.0.1:") {
				t.Fatalf("issuer %s, sandbox %s", r.Issuer, r.SandboxURL)
			}
			resp, discovery := ask(t, https, r.Issuer+"/.well-known/openid-configuration")
			var d struct {
				Issuer        string
				TokenEndpoint string `json:"token_endpoint"`
			}
			if err := json.Unmarshal([]byte(discovery), &d); err != nil || d.Issuer != r.Issuer || !strings.HasPrefix(d.TokenEndpoint, r.Issuer) {
				t.Errorf("discovery %v: %s", err, discovery)
			}
			if resp.ProtoMajor != 2 {
				t.Errorf("%s, though the client offers HTTP/2", resp.Proto)
			}
			resp, _ = ask(t, https, r.Issuer+"/authorize?response_type=code&scope=openid&state=s&client_id=thanhhoa-portal&redirect_uri="+url.QueryEscape("https://127.0.0.1:9999/callback"))
			if resp.StatusCode != http.StatusFound && resp.StatusCode != http.StatusSeeOther {
				t.Errorf("the portal's https redirect URI: %d", resp.StatusCode)
			}
			onlyHostCookies(t, resp)
			resp, _ = ask(t, https, r.SandboxURL+"/?lang=en")
			onlyHostCookies(t, resp)
			if resp, body := ask(t, https, r.SandboxURL+"/", "Cookie: __Host-console_default_lang=en"); resp.StatusCode != 200 || !strings.Contains(body, `lang="en"`) {
				t.Errorf("the language is not remembered: %d", resp.StatusCode)
			}
			for _, at := range []string{r.Issuer + "/healthz", r.SandboxURL + "/sms", r.SandboxURL + "/nothing"} {
				if resp, _ := ask(t, https, at); resp.Header.Get("Strict-Transport-Security") != "" {
					t.Errorf("%s tells the browser to refuse http on every port of localhost", at)
				}
			}

			if resp, err := client.Get(r.Issuer + "/healthz"); err == nil {
				resp.Body.Close()
				t.Error("a client that trusts nobody here was let to believe it")
			}
			if resp, _ := send(t, "GET", strings.Replace(r.Issuer, "https", "http", 1)+"/healthz", ""); resp.StatusCode != 400 {
				t.Errorf("plain http on the same port: %d", resp.StatusCode)
			}
			old := trusting(t, c.trust)
			old.Transport.(*http.Transport).TLSClientConfig.MinVersion = tls.VersionTLS10
			old.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS11
			for _, at := range []string{r.Issuer, r.SandboxURL} {
				if resp, err := old.Get(at + "/healthz"); err == nil {
					resp.Body.Close()
					t.Errorf("%s speaks TLS 1.1", at)
				}
			}
		})
	}
}

// onlyHostCookies holds every cookie of an answer to what TLS makes possible.
func onlyHostCookies(t *testing.T, resp *http.Response) {
	t.Helper()
	if len(resp.Cookies()) == 0 {
		t.Errorf("%s sets no cookie", resp.Request.URL.Path)
	}
	for _, c := range resp.Cookies() {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || c.Path != "/" || c.Domain != "" || !c.HttpOnly {
			t.Errorf("%s sets %v", resp.Request.URL.Path, c)
		}
	}
}

func TestTheLocalCAGivesItsCertificateToEverybodyOnThisMachine(t *testing.T) {
	for name, auth := range map[string]string{"without a token": "", "with a token": token} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			r, log := start(t, func(c *sandbox.Config) { c.TLS, c.Data, c.Token = "auto", data, auth })
			file := filepath.Join(data, "ca.pem")
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			https := trusting(t, file)
			// As a link of the provider's pages opens it, and as a program gets it.
			for _, header := range []string{"Accept: */*", "Sec-Fetch-Site: same-site"} {
				resp, body := ask(t, https, r.SandboxURL+"/ca.pem", header)
				if resp.StatusCode != 200 || body != string(want) || resp.Header.Get("Content-Type") != "application/x-pem-file" ||
					!strings.Contains(resp.Header.Get("Content-Disposition"), `filename="vneid-sandbox-ca.pem"`) {
					t.Errorf("%s: %d %v\n%s", header, resp.StatusCode, resp.Header, body)
				}
			}
			if !strings.Contains(r.TrustHint(), file) || strings.Count(r.TrustHint(), "\n") != 1 {
				t.Errorf("the line for the terminal: %q", r.TrustHint())
			}
			if auth == "" {
				if _, body := ask(t, https, r.SandboxURL+"/"); !strings.Contains(body, `href="`+r.SandboxURL+`/ca.pem"`) || !strings.Contains(body, "NODE_EXTRA_CA_CERTS") {
					t.Error("the front page does not say where the CA is")
				}
			} else {
				form := url.Values{"token": {token}, "back": {"/sms"}}
				resp, err := https.PostForm(r.SandboxURL+"/sign-in", form)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				onlyHostCookies(t, resp)
				if resp, _ := ask(t, https, r.SandboxURL+"/sms", "Cookie: __Host-console_default_token="+resp.Cookies()[0].Value); resp.StatusCode != 200 {
					t.Errorf("signed in: %d", resp.StatusCode)
				}
			}
			key, err := os.ReadFile(filepath.Join(data, "ca-key.pem"))
			if err != nil || strings.Contains(log.String(), strings.Split(string(key), "\n")[1]) {
				t.Errorf("the key in the log, or no key: %v", err)
			}
		})
	}
	r, _ := start(t, nil)
	if resp, _ := send(t, "GET", r.SandboxURL+"/ca.pem", ""); resp.StatusCode != 404 || r.TrustHint() != "" {
		t.Errorf("a CA without TLS: %d %q", resp.StatusCode, r.TrustHint())
	}
}

func TestTwoSandboxesOnOneFolderShareOneCA(t *testing.T) {
	data := t.TempDir()
	type started struct {
		r   *sandbox.Running
		err error
	}
	both := make(chan started, 2)
	for range 2 {
		go func() {
			r, err := sandbox.Start(t.Context(), sandbox.Config{Listen: "127.0.0.1:0", SandboxListen: "127.0.0.1:0", Database: "sqlite::memory:",
				CheapHashes: true, LogOutput: io.Discard, TLS: "auto", Data: data})
			both <- started{r, err}
		}()
	}
	var running []*sandbox.Running
	for range 2 {
		s := <-both
		if s.err != nil {
			t.Fatal(s.err)
		}
		running = append(running, s.r)
		defer s.r.Close(context.Background())
	}
	https := trusting(t, filepath.Join(data, "ca.pem"))
	for _, r := range running {
		if resp, _ := ask(t, https, r.Issuer+"/healthz"); resp.StatusCode != 200 {
			t.Errorf("%s: %d", r.Issuer, resp.StatusCode)
		}
	}
}

func TestABrokenCAEndsTheStartWithAHint(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "ca-key.pem"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sandbox.Start(t.Context(), sandbox.Config{Listen: "127.0.0.1:0", SandboxListen: "127.0.0.1:0", Database: "sqlite::memory:",
		CheapHashes: true, LogOutput: io.Discard, TLS: "auto", Data: data})
	if err == nil || !strings.Contains(err.Error(), "ca-key.pem") || !strings.Contains(err.Error(), "hint: ") {
		t.Errorf("got %v", err)
	}
	if list := (strictyaml.Mistakes)(nil); errors.As(err, &list) {
		t.Errorf("called a mistake of the configuration, which would be exit code 2: %v", err)
	}
}

func TestWrongTLSSettingsAreReportedWithLineAndHint(t *testing.T) {
	certFile, keyFile := writePair(t, time.Now().Add(24*time.Hour), "localhost")
	oldFile, oldKey := writePair(t, time.Now().Add(-time.Hour), "localhost")
	earlyFile, earlyKey := writePair(t, time.Now().Add(96*time.Hour), "localhost")
	_, otherKey := writePair(t, time.Now().Add(24*time.Hour), "localhost")
	for name, c := range map[string]struct{ yaml, want string }{
		"a word":                         {"tls: on", `:1: tls: "on" is neither off nor auto nor two files; write off, auto, or CERT.pem,KEY.pem`},
		"one file":                       {"tls: cert.pem", `:1: tls: "cert.pem" is neither`},
		"three files":                    {"tls: a,b,c", `:1: tls: "a,b,c" is neither`},
		"no key":                         {"tls: 'a,'", `:1: tls: "a," is neither`},
		"files that are not there":       {"seed: none\ntls: /nowhere/a.pem,/nowhere/b.pem", ":2: tls: open /nowhere/a.pem: "},
		"another certificate's key":      {"tls: " + certFile + "," + otherKey, "private key does not match public key; name two readable files"},
		"the two the wrong way round":    {"tls: " + keyFile + "," + certFile, ":1: tls: tls: failed to find"},
		"expired":                        {"tls: " + oldFile + "," + oldKey, "cert.pem: expired at "},
		"not valid yet":                  {"tls: " + earlyFile + "," + earlyKey, "cert.pem: not valid before "},
		"a name it is not for":           {"issuer: https://idp.test\ntls: " + certFile + "," + keyFile, ":2: tls: " + certFile + ": certificate is valid for localhost, not idp.test"},
		"an issuer by http":              {"tls: auto\nissuer: http://idp.test:9998", ":2: issuer: begins with http, but the listeners speak https with --tls auto; write https://idp.test:9998"},
		"a sandbox by http":              {"tls: auto\nsandbox_url: http://localhost", ":2: sandbox_url: begins with http"},
		"a name the CA may not have":     {"tls: auto\nissuer: https://idp.example.com", ":1: tls: the local CA may not vouch for idp.example.com; it is bound to localhost"},
		"an address the CA may not have": {"tls: auto\nsandbox_url: https://8.8.8.8", ":1: tls: the local CA may not vouch for 8.8.8.8"},
	} {
		t.Run(name, func(t *testing.T) {
			err := sandbox.CheckFile(write(t, c.yaml+"\n"), noEnv)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if list := (strictyaml.Mistakes)(nil); err != nil && (!errors.As(err, &list) || len(list) != 1) {
				t.Errorf("more than one mistake: %v", err)
			}
		})
	}
	for name, yaml := range map[string]string{
		"off":                  "tls: off",
		"off behind a proxy":   "tls: off\nissuer: https://idp.test",
		"auto":                 "tls: auto",
		"auto in the LAN":      "tls: auto\nissuer: https://192.168.1.10:9998\nsandbox_url: https://sandbox.internal",
		"files, with a space":  "tls: " + certFile + ", " + keyFile,
		"files, quoted":        "tls: '" + certFile + "," + keyFile + "'",
		"files and the issuer": "issuer: https://localhost:1\ntls: " + certFile + "," + keyFile,
	} {
		if err := sandbox.CheckFile(write(t, yaml+"\n"), noEnv); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sandbox.ParseServe(nil, env("VNEID_SANDBOX_TLS=maybe")); err == nil || !strings.Contains(err.Error(), "VNEID_SANDBOX_TLS: ") {
		t.Errorf("by the environment: %v", err)
	}
}

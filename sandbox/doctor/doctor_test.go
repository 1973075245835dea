package doctor_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/doctor"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sandboxtest"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// examine looks at a sandbox, after change of what is asked.
func examine(t *testing.T, o doctor.Options) []doctor.Finding {
	t.Helper()
	if o.Clock == nil {
		o.Clock = vneid.SystemClock{}
	}
	if o.Env == nil {
		o.Env = func(string) string { return "" }
	}
	heard := 0
	found := doctor.Run(t.Context(), o, func(doctor.Finding) { heard++ })
	if heard != len(found) || len(found) == 0 {
		t.Errorf("%d findings, %d told", len(found), heard)
	}
	for _, f := range found {
		if f.Check == "" || f.What.Vi == "" || f.What.En == "" || f.Fix != nil && (f.Fix.Vi == "" || f.Fix.En == "") || strings.Contains(f.What.Vi+f.What.En, "%!") {
			t.Errorf("not said in both languages: %+v", f)
		}
		if f.Fix != nil && strings.Contains(f.Fix.Vi+f.Fix.En, "%!") {
			t.Errorf("a broken sentence: %+v", *f.Fix)
		}
	}
	return found
}

// finds expects one finding with that check and level that says all of it.
func finds(t *testing.T, found []doctor.Finding, check string, level doctor.Level, says ...string) {
	t.Helper()
	var report bytes.Buffer
	for _, f := range found {
		var one bytes.Buffer
		doctor.Print(&one, f)
		report.Write(one.Bytes())
		ok := f.Check == check && f.Level == level
		for _, s := range says {
			ok = ok && strings.Contains(one.String(), s)
		}
		if ok {
			return
		}
	}
	t.Errorf("no %s %q that says %q among:\n%s", level, check, says, &report)
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func TestNothingIsWrongWithAFreshSandbox(t *testing.T) {
	sb := sandboxtest.Start(t)
	found := examine(t, doctor.Options{Issuer: sb.Issuer, SandboxURL: sb.URL})
	if doctor.Failed(found) {
		t.Errorf("%+v", found)
	}
	for _, check := range []string{"names", "running", "clock", "issuer", "keys", "sandbox", "clients"} {
		finds(t, found, check, doctor.OK)
	}
	finds(t, found, "phone", doctor.Note, "localhost là chính nó", "--sandbox-url")
}

func TestAWorldIsLookedAtByItsIssuer(t *testing.T) {
	sb := sandboxtest.Start(t)
	w := sb.NewWorld()
	found := examine(t, doctor.Options{Issuer: w.Issuer, SandboxURL: sb.URL})
	finds(t, found, "issuer", doctor.OK, w.Issuer)
	if doctor.Failed(found) || len(found) < 8 {
		t.Errorf("%+v", found)
	}
	for _, f := range found {
		if f.Level == doctor.Doubt {
			t.Errorf("%+v", f)
		}
	}
	w.Clock.Advance(time.Hour)
	finds(t, examine(t, doctor.Options{Issuer: w.Issuer, SandboxURL: sb.URL}), "clock", doctor.Wrong, "was moved")
	finds(t, examine(t, doctor.Options{Issuer: sb.Issuer, SandboxURL: sb.URL}), "clock", doctor.OK)
}

func TestADoctorSaysThatNothingRuns(t *testing.T) {
	port := freePort(t)
	found := examine(t, doctor.Options{Issuer: "http://localhost:" + port, SandboxURL: "http://localhost:1"})
	finds(t, found, "running", doctor.Wrong, "No sandbox runs here", "vneid-sandbox serve")
	finds(t, examine(t, doctor.Options{Issuer: "http://no-such-name.invalid:" + port}), "names", doctor.Wrong, "/etc/hosts", "does not know that name")

	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	finds(t, examine(t, doctor.Options{Issuer: other.URL}), "ports", doctor.Wrong, "Another program", "--listen")

	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	go func() {
		for {
			conn, err := mute.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	finds(t, examine(t, doctor.Options{Issuer: "http://" + mute.Addr().String()}), "running", doctor.Wrong, "does not answer by HTTP")
}

func TestAnIssuerIsHeldToTheCharacter(t *testing.T) {
	sb := sandboxtest.Start(t)
	byName := strings.Replace(sb.Issuer, "127.0.0.1", "localhost", 1)
	found := examine(t, doctor.Options{Issuer: byName, SandboxURL: sb.URL})
	finds(t, found, "issuer", doctor.Wrong, "at character 8", sb.Issuer, "--issuer request")
	for issuer, says := range map[string]string{
		sb.Issuer + "/": "no slash at the end", strings.ToUpper(sb.Issuer): "http(s)", "localhost:9998": "No http(s) URL",
		"http://LOCALHOST:9998": "no capitals", "https://vneid.gov.vn": ".gov.vn",
	} {
		found := examine(t, doctor.Options{Issuer: issuer, SandboxURL: sb.URL})
		if !doctor.Failed(found) || len(found) != 1 {
			t.Errorf("%s: %+v", issuer, found)
		}
		if issuer != strings.ToUpper(sb.Issuer) {
			finds(t, found, "issuer", doctor.Wrong, says)
		}
	}
	finds(t, examine(t, doctor.Options{Issuer: sb.Issuer + "/w/nowhere", SandboxURL: sb.URL}), "issuer", doctor.Wrong, "No discovery document")
}

func TestCertificatesAreTriedWithAndWithoutTheCA(t *testing.T) {
	data := t.TempDir()
	sb := sandboxtest.Start(t, sandboxtest.WithTLS(), func(c *sandbox.Config) { c.Data, c.AllowHosts = data, []string{"vneid.test"} })
	o := doctor.Options{Issuer: sb.Issuer, SandboxURL: sb.URL}
	finds(t, examine(t, o), "tls", doctor.Wrong, "do not trust the certificate", "--ca var/ca.pem")
	pem, err := os.ReadFile(filepath.Join(data, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	o.CA, o.FromContainers = pem, []string{"vneid.test", "vneid"}
	found := examine(t, o)
	finds(t, found, "tls", doctor.Note, "NODE_EXTRA_CA_CERTS")
	finds(t, found, "container", doctor.Wrong, "vneid.test", "--issuer request") // certified, but the issuer is another
	finds(t, found, "container", doctor.Wrong, "alias vneid.internal")
	o.CA = []byte("no certificate")
	finds(t, examine(t, o), "tls", doctor.Wrong, "--ca", "no certificate in PEM")
	o.Issuer = strings.Replace(sb.Issuer, "https", "http", 1)
	finds(t, examine(t, o), "running", doctor.Wrong, "It speaks https there")
	plain := sandboxtest.Start(t)
	o.Issuer = strings.Replace(plain.Issuer, "http", "https", 1)
	finds(t, examine(t, o), "tls", doctor.Wrong, "No TLS handshake", "begins with http://")
}

func TestAClockThatWasMovedIsFound(t *testing.T) {
	sb := sandboxtest.Start(t)
	sb.Clock.Advance(3 * time.Minute)
	finds(t, examine(t, doctor.Options{Issuer: sb.Issuer, SandboxURL: sb.URL}), "clock", doctor.Wrong, "was moved by 3m0s", `{"reset": true}`)
	sb.Clock.Reset()
	late := &vneid.OffsetClock{Base: vneid.SystemClock{}}
	late.SetOffset(-20 * time.Second)
	finds(t, examine(t, doctor.Options{Issuer: sb.Issuer, SandboxURL: sb.URL, Clock: late}), "clock", doctor.Wrong, "differ by", "NTP")
}

func TestTheTokenIsTried(t *testing.T) {
	const token = "a token of sixteen or more"
	sb := sandboxtest.Start(t, func(c *sandbox.Config) { c.Token = token })
	o := doctor.Options{Issuer: sb.Issuer, SandboxURL: sb.URL}
	found := examine(t, o)
	finds(t, found, "token", doctor.Doubt, "VNEID_SANDBOX_TOKEN")
	o.Token = "another token, not the server's"
	finds(t, examine(t, o), "token", doctor.Wrong, "not the token of this sandbox")
	o.Token = token
	found = examine(t, o)
	finds(t, found, "token", doctor.OK)
	finds(t, found, "clients", doctor.OK, "my-portal")
	o.SandboxURL = "http://localhost:" + freePort(t)
	finds(t, examine(t, o), "sandbox", doctor.Wrong, "Not reached", "--sandbox-listen")
	finds(t, examine(t, o), "sandbox", doctor.Doubt, "another address of the sandbox")
}

func TestNamesOfContainersAreTriedWithoutKnowingThem(t *testing.T) {
	ask := func(t *testing.T, issuer string, change func(c *sandbox.Config), name string) []doctor.Finding {
		sb := sandboxtest.Start(t, change)
		if issuer == "" {
			issuer = sb.Issuer
		}
		return examine(t, doctor.Options{Issuer: issuer, SandboxURL: sb.URL, FromContainers: []string{name}})
	}
	t.Run("nobody allowed it", func(t *testing.T) {
		finds(t, ask(t, "", func(*sandbox.Config) {}, "vneid"), "container", doctor.Wrong, "refuses this name", "--allow-hosts vneid")
	})
	t.Run("one fixed issuer", func(t *testing.T) {
		found := ask(t, "", func(c *sandbox.Config) { c.AllowHosts = []string{"vneid"} }, "vneid")
		finds(t, found, "container", doctor.Wrong, "its library refuses", "--issuer request")
	})
	port := freePort(t)
	t.Run("an issuer that browsers do not reach", func(t *testing.T) {
		found := ask(t, "", func(c *sandbox.Config) { c.AllowHosts, c.Issuer = []string{"vneid.invalid"}, "request" }, "vneid.invalid")
		finds(t, found, "container", doctor.Doubt, "--browser-url", "vneid.invalid")
	})
	t.Run("all of it", func(t *testing.T) {
		issuer := "http://127.0.0.1:" + port
		found := ask(t, issuer, func(c *sandbox.Config) {
			c.Listen, c.AllowHosts, c.Issuer, c.BrowserURL = "127.0.0.1:"+port, []string{"vneid"}, "request", issuer
		}, "vneid")
		finds(t, found, "container", doctor.OK, "http://vneid:"+port)
		if doctor.Failed(found) {
			t.Errorf("%+v", found)
		}
	})
	t.Run("the machine itself, which listens on loopback", func(t *testing.T) {
		finds(t, ask(t, "", func(*sandbox.Config) {}, "host.docker.internal"), "container", doctor.Wrong, "listens on loopback only", "--listen 0.0.0.0:")
	})
}

func TestTheAddressesOfPortalsAreTried(t *testing.T) {
	sb := sandboxtest.Start(t)
	portal := httptest.NewServer(http.NotFoundHandler())
	defer portal.Close()
	sb.Register(sandboxtest.Client{ClientID: "runs", RedirectURIs: []string{portal.URL + "/cb"}, BackchannelLogoutURI: "http://127.0.0.1:" + freePort(t) + "/out"})
	sb.Register(sandboxtest.Client{ClientID: "off", RedirectURIs: []string{"http://127.0.0.1:" + freePort(t) + "/cb"}})
	sb.Register(sandboxtest.Client{ClientID: "inside", RedirectURIs: []string{"http://portal-of-compose:3000/cb"}})
	found := examine(t, doctor.Options{Issuer: sb.Issuer, SandboxURL: sb.URL})
	finds(t, found, "clients", doctor.OK, "runs", portal.URL+"/cb")
	finds(t, found, "clients", doctor.Note, "runs", "share the name 127.0.0.1")
	finds(t, found, "clients", doctor.Doubt, "runs", "backchannel_logout_uri")
	finds(t, found, "clients", doctor.Note, "off", "is the portal not running?")
	finds(t, found, "clients", doctor.Doubt, "inside", "portal-of-compose", "published port")

	empty := sandboxtest.Start(t, func(c *sandbox.Config) { c.Seed = "none" })
	finds(t, examine(t, doctor.Options{Issuer: empty.Issuer, SandboxURL: empty.URL}), "clients", doctor.Wrong, "There is no client")
}

func TestAProxyForThisMachineIsFound(t *testing.T) {
	sb := sandboxtest.Start(t)
	env := map[string]string{"HTTP_PROXY": "http://proxy.example:3128"}
	o := doctor.Options{Issuer: sb.Issuer, SandboxURL: sb.URL, Env: func(name string) string { return env[name] }}
	finds(t, examine(t, o), "proxy", doctor.Doubt, "NO_PROXY=localhost")
	env["NO_PROXY"] = "localhost,127.0.0.1"
	for _, f := range examine(t, o) {
		if f.Check == "proxy" {
			t.Errorf("%+v", f)
		}
	}
}

func TestMachinesGetOneLinePerFinding(t *testing.T) {
	sb := sandboxtest.Start(t)
	var out bytes.Buffer
	o := doctor.Options{Issuer: sb.Issuer, SandboxURL: sb.URL, Clock: vneid.SystemClock{}, Env: func(string) string { return "" }}
	found := doctor.Run(t.Context(), o, func(f doctor.Finding) { doctor.PrintJSON(&out, f) })
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(found) {
		t.Fatalf("%d lines for %d findings", len(lines), len(found))
	}
	for i, line := range lines {
		var f doctor.Finding
		if err := json.Unmarshal([]byte(line), &f); err != nil || fmt.Sprint(f.What) != fmt.Sprint(found[i].What) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

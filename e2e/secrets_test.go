//go:build e2e

package e2e_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The canary over all that is written down: logs (checked when the world stops), metrics, and the raw bytes of the
// databases with what SQLite keeps beside them. One secret lies in the open: the one-time password of a message, in the
// table of messages, since the simulated inbox has to show it.
func TestNothingSecretIsWrittenDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	said, otps := w.leaveTraces(t)
	written := map[string][]byte{"/metrics": said}
	files, err := filepath.Glob(filepath.Join(w.dir, "*.db*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("no databases: %v, %v", files, err)
	}
	for _, file := range files {
		if written[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Contains(bytes.Join([][]byte{written["sandbox.db"], written["sandbox.db-wal"]}, nil), []byte(an.CCCD)) {
		t.Error("not even An's number is in the database: this test looks at the wrong files")
	}
	w.wantNoSecret(t, written)
	dump, err := exec.Command("sqlite3", "-readonly", filepath.Join(w.dir, "sandbox.db"), ".dump").Output()
	if err != nil {
		t.Fatalf("%v; install sqlite3 with: make test-tools", err)
	}
	wantOTPsInInboxOnly(t, string(dump), "INSERT INTO sms ", otps)
}

// leaveTraces lets people and portals do whatever has a secret in it. It returns what /metrics says then, and the
// one-time passwords that were entered, the right one first.
func (w *world) leaveTraces(t *testing.T) (metricsText []byte, otps [2]string) {
	t.Helper()
	client := w.register(t, map[string]any{"client_name": "Cổng kín", "consent": "never"})
	v := w.visitor(t)
	r := w.request(client, "scope", "openid profile cccd offline_access")
	w.secret("a code verifier", r.Verifier)
	v.Open(r.URL())
	v.PasswordStep(an.CCCD, w.secret("a mistyped password", "Nham@"+random()))
	v.PasswordStep(an.CCCD, password)
	otp := w.awaitSMS(t, an.Phone, 0).OTP
	wrong := "135790"
	if otp == wrong {
		wrong = "975310"
	}
	v.EnterOTP(wrong)
	v.EnterOTP(otp)
	tokens := r.Redeem(t, v.wantCode(r))
	fresh := w.refresh(t, client, tokens.str("refresh_token"))
	if fresh.Status != http.StatusOK {
		t.Fatalf("refresh: %s", fresh)
	}
	w.userinfo(t, "GET", fresh.str("access_token"))
	w.authenticated(t, "/oauth/introspect", client, map[string][]string{"token": {fresh.str("access_token")}})
	wantOAuthError(t, w.post(t, "/oauth/token", client.ID, w.secret("a wrong client secret", random()), r.exchange("x")), 401, "invalid_client")
	v.Code(w.request(client)) // never redeemed
	p := w.visitor(t)
	p.signInAtPortal(binh)
	p.wantSignedIn(binh)
	for _, c := range append(cookies(v.jar, w.Issuer), append(cookies(p.jar, w.Issuer), cookies(p.jar, w.Portal)...)...) {
		if len(c.Value) >= 16 { // a language is no secret
			w.secret("the cookie "+c.Name, c.Value)
		}
	}

	metrics, _ := http.NewRequest("GET", w.Issuer+"/metrics", nil)
	res, said := w.do(t, metrics)
	if res.StatusCode != http.StatusOK || len(said) < 100 {
		t.Fatalf("/metrics: %d %s", res.StatusCode, said)
	}
	if digitsOf(otp, wrong).Match(said) {
		t.Errorf("/metrics holds a one-time password")
	}
	return said, [2]string{otp, wrong}
}

// wantNoSecret looks for every secret in what was written, by name.
func (w *world) wantNoSecret(t *testing.T, written map[string][]byte) {
	t.Helper()
	for value, what := range w.secrets {
		for name, raw := range written {
			person := what == "a whole CCCD" && name != "/metrics" // people live in the database
			idToken := strings.HasPrefix(value, "eyJ") && strings.HasPrefix(name, "portal.db")
			if len(value) > 6 && !person && !idToken && bytes.Contains(raw, []byte(value)) {
				t.Errorf("%s holds %s", name, what)
			}
		}
	}
}

func digitsOf(otps ...string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[^0-9A-Za-z])(` + strings.Join(otps, "|") + `)($|[^0-9A-Za-z])`)
}

// wantOTPsInInboxOnly looks at rows: six digits stand by chance in many bytes.
func wantOTPsInInboxOnly(t *testing.T, dump, inboxRow string, otps [2]string) {
	t.Helper()
	digits, inbox := digitsOf(otps[:]...), 0
	for line := range strings.Lines(dump) {
		switch {
		case !digits.MatchString(line):
		case strings.HasPrefix(line, inboxRow) && strings.Contains(line, otps[0]):
			inbox++
		default:
			t.Errorf("the database holds a one-time password: %s", line)
		}
	}
	if inbox != 1 {
		t.Errorf("%d messages in the dump have the one-time password, want 1", inbox)
	}
}

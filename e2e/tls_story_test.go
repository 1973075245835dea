//go:build e2e

package e2e_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEverythingOverTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal, withTLS)

	t.Run("An signs in at the portal and out again", func(t *testing.T) {
		v := w.visitor(t)
		v.toProvider()
		if !strings.HasPrefix(v.at.URL.String(), w.Issuer) || v.at.URL.Scheme != "https" {
			t.Errorf("the login page is at %s", v.at.URL)
		}
		v.PasswordStep(an.CCCD, password)
		v.EnterOTP(w.awaitSMS(t, an.Phone, 0).OTP)
		v.wantSignedIn(an)
		for party, names := range map[string][]string{
			w.Issuer: {"__Host-idp_default_browser", "__Host-idp_default_session"}, w.Portal: {"__Host-portal_"},
		} {
			for _, name := range names {
				if cookieNamed(v.jar, party, name) == "" {
					t.Errorf("no cookie %s… among %v", name, cookies(v.jar, party))
				}
			}
		}
		v.Click("Đăng xuất")
		v.wantSignedOut()
		client := seededPortal
		client.Redirect = w.Portal + "/callback"
		r := w.request(client, "prompt", "none")
		v.stopAtPortal().Open(r.URL())
		v.wantError(r, "login_required")
	})

	t.Run("a portal of somebody's own gets, refreshes and loses its tokens", func(t *testing.T) {
		v := w.visitor(t)
		client := w.register(t, map[string]any{"redirect_uris": []string{"https://localhost:39124/callback"}})
		client.Redirect = "https://localhost:39124/callback"
		r := w.request(client, "scope", "openid profile offline_access")
		v.SignIn(r, binh)
		one := r.Redeem(t, v.wantCode(r))
		if one.Header.Get("Cache-Control") != "no-store" || one.Header.Get("Pragma") != "no-cache" {
			t.Errorf("tokens may be stored: %v", one.Header)
		}
		wantClaim(t, w.verified(t, one.str("id_token")), "iss", w.Issuer)
		wantClaim(t, w.userinfo(t, "GET", one.str("access_token")).Body, "name", binh.Name)
		two := w.refresh(t, client, one.str("refresh_token"))
		if two.Status != http.StatusOK || two.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("refresh: %s", two)
		}
		wantClaim(t, w.verified(t, two.str("id_token")), "iss", w.Issuer)
		refused := w.refresh(t, client, one.str("refresh_token"))
		wantOAuthError(t, refused, 400, "invalid_grant")
		if refused.Header.Get("Cache-Control") != "no-store" {
			t.Error("an error of the token endpoint may be stored")
		}
		wantOAuthError(t, w.refresh(t, client, two.str("refresh_token")), 400, "invalid_grant")
		again := w.request(client, "prompt", "none")
		w.verified(t, again.Redeem(t, v.Code(again)).str("id_token"))
	})

	t.Run("discovery names https and nothing else", func(t *testing.T) {
		req, _ := http.NewRequest("GET", w.Issuer+"/.well-known/openid-configuration", nil)
		d := w.answer(t, req)
		wantClaim(t, d.Body, "issuer", w.Issuer)
		if strings.Contains(d.Raw, "http://") {
			t.Errorf("plain http in %s", d.Raw)
		}
	})

	t.Run("every page holds the rules", func(t *testing.T) {
		v := w.visitor(t)
		for _, address := range []string{
			w.Portal + "/", w.Portal + "/nothing-here", w.Portal + "/callback", w.Sandbox + "/", w.Sandbox + "/sms", w.Sandbox + "/nothing-here",
			w.Issuer + "/authorize", w.Issuer + "/nothing-here", w.Issuer + "/end_session", w.request(seededPortal).URL(),
		} {
			v.Open(address) // the visitor looks at banner, policy and headers
			if m := foreignSource.FindString(v.at.Body); strings.Contains(m, "http://") {
				t.Errorf("%s loads something by plain http: %s", address, m)
			}
		}
	})

	t.Run("the guard rails stand", func(t *testing.T) {
		for _, address := range []string{w.Issuer + "/.well-known/openid-configuration", w.Sandbox + "/sms", w.Sandbox + "/api/v1/personas", w.Portal + "/"} {
			req, _ := http.NewRequest("GET", address, nil)
			req.Host = "evil.example"
			if res, _ := w.do(t, req); res.StatusCode != http.StatusMisdirectedRequest {
				t.Errorf("%s for Host evil.example: %d, want 421", address, res.StatusCode)
			}
		}
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"} {
			if status, raw := w.apiRaw(t, "GET", "/personas", nil, http.Header{name: {value}}); status != http.StatusForbidden {
				t.Errorf("%s: %s: %d %.200s", name, value, status, raw)
			}
		}
	})

	t.Run("who trusts nobody gets nothing, and neither does plain http or old TLS", func(t *testing.T) {
		for _, address := range []string{w.Issuer, w.Sandbox, w.Portal} {
			stranger := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
			var unknown x509.UnknownAuthorityError
			if res, err := stranger.Get(address + "/"); err == nil || !errors.As(err, &unknown) {
				t.Errorf("%s: %v, %v; want an unknown authority", address, res, err)
			}
			if res, err := stranger.Get(strings.Replace(address, "https:", "http:", 1) + "/"); err == nil {
				raw, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if res.StatusCode != http.StatusBadRequest || bytes.Contains(raw, []byte("<html")) {
					t.Errorf("%s by plain http: %d %.200s", address, res.StatusCode, raw)
				}
			}
			u, _ := url.Parse(address)
			old := &tls.Config{RootCAs: w.http.Transport.(*hygienic).TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
			if conn, err := tls.Dial("tcp", u.Host, old); err == nil {
				conn.Close()
				t.Errorf("%s speaks TLS 1.1", address)
			}
		}
	})

	t.Run("the CA is given away, bound to test names, and its key is not", func(t *testing.T) {
		req, _ := http.NewRequest("GET", w.Sandbox+"/ca.pem", nil)
		res, given := w.do(t, req)
		kept, err := os.ReadFile(w.ca)
		if err != nil || res.StatusCode != http.StatusOK || !bytes.Equal(given, kept) {
			t.Fatalf("/ca.pem: %d, the same as the file %t, %v", res.StatusCode, bytes.Equal(given, kept), err)
		}
		block, rest := pem.Decode(given)
		if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
			t.Fatalf("/ca.pem is more or less than one certificate: %s", given)
		}
		ca, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if !ca.IsCA || ca.MaxPathLen != 0 || !ca.MaxPathLenZero || !ca.PermittedDNSDomainsCritical {
			t.Errorf("CA %t, path length %d (%t), constraints critical %t", ca.IsCA, ca.MaxPathLen, ca.MaxPathLenZero, ca.PermittedDNSDomainsCritical)
		}
		if !slices.Contains(ca.PermittedDNSDomains, "localhost") || !slices.Contains(ca.PermittedDNSDomains, "test") || len(ca.PermittedIPRanges) == 0 {
			t.Errorf("it may vouch for %v, %v", ca.PermittedDNSDomains, ca.PermittedIPRanges)
		}
		if life := ca.NotAfter.Sub(ca.NotBefore); life > 91*24*time.Hour {
			t.Errorf("it lives %v", life)
		}
		for _, name := range []string{"ca-key.pem", "tls.pem", "portal-tls.pem"} {
			info, err := os.Stat(filepath.Join(w.dir, name))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v; want mode 0600", name, info, err)
			}
		}
	})

	t.Run("a restart keeps CA and certificates", func(t *testing.T) {
		before, _ := os.ReadFile(w.ca)
		w.restart(t, (*process).kill)
		after, _ := os.ReadFile(w.ca)
		if len(before) == 0 || !bytes.Equal(before, after) {
			t.Error("the CA changed")
		}
		v := w.visitor(t)
		v.signInAtPortal(minh)
		v.wantSignedIn(minh)
	})
}

func TestOverTLSWithGivenFiles(t *testing.T) {
	t.Parallel()
	cert, key, ca := givenFiles(t)
	w := newWorld(t, withPortal, func(s *setup) { s.tls, s.ca = cert+","+key, ca })
	v := w.visitor(t)
	v.signInAtPortal(an)
	v.wantSignedIn(an)
	v.Click("Đăng xuất")
	v.wantSignedOut()
	req, _ := http.NewRequest("GET", w.Sandbox+"/ca.pem", nil)
	if res, _ := w.do(t, req); res.StatusCode != http.StatusNotFound {
		t.Errorf("/ca.pem answers %d although there is no local CA", res.StatusCode)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "ca-key.pem")); err == nil {
		t.Error("a CA was made all the same")
	}
}

// givenFiles makes what an organisation's own CA would hand out: a certificate for this machine's names with its key,
// and the CA's certificate.
func givenFiles(t *testing.T) (cert, key, ca string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	template := func(name string) *x509.Certificate {
		serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
		if err != nil {
			t.Fatal(err)
		}
		return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
			NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true}
	}
	root, leaf := template("an organisation's CA"), template("localhost")
	root.IsCA, root.KeyUsage = true, x509.KeyUsageCertSign
	leaf.DNSNames, leaf.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	leaf.KeyUsage, leaf.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	rootKey, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leafKey, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	rootDER, err1 := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	leafDER, err2 := x509.CreateCertificate(rand.Reader, leaf, root, leafKey.Public(), rootKey)
	keyDER, err3 := x509.MarshalPKCS8PrivateKey(leafKey)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return write("cert.pem", "CERTIFICATE", leafDER), write("key.pem", "PRIVATE KEY", keyDER), write("ca.pem", "CERTIFICATE", rootDER)
}

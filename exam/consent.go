package exam

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// ConsentPath is where a relying party that is no test machine says that it may
// be examined: a text whose first line is
//
//	vneid-sandbox-consent: ISSUER
//
// with the issuer of the sandbox that may.
const ConsentPath = "/.well-known/vneid-sandbox-consent"

// mayExamine holds the addresses against the sandbox's own rule for redirect
// URIs: test machines only.
func (e *examiner) mayExamine(ctx context.Context) error {
	for _, address := range []string{e.LoginURL, e.WhoamiURL, e.LogoutURL} {
		if address == "" && address == e.LogoutURL {
			continue
		}
		why := vneid.CheckURI(address, nil)
		if why == "" {
			continue
		}
		u, err := url.Parse(address)
		if err != nil || u.Hostname() == "" || vneid.IsGovHost(u.Hostname()) {
			return fmt.Errorf("%w: %s: %s", ErrConsent, address, why)
		}
		if err := e.consents(ctx, u); err != nil {
			return fmt.Errorf("%w: %s: %s; and %v", ErrConsent, address, why, err)
		}
	}
	return nil
}

// consents asks the host. It follows no redirect and reaches no link-local
// address, whatever the name resolves to.
func (e *examiner) consents(ctx context.Context, of *url.URL) error {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || at.Addr().Unmap().IsLinkLocalUnicast() {
			return fmt.Errorf("connections to %s are refused", address)
		}
		return nil
	}}
	t := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: e.api.transport.TLSClientConfig.Clone(), DisableKeepAlives: true}
	c := &http.Client{Transport: t, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	address := of.Scheme + "://" + of.Host + ConsentPath
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return fmt.Errorf("%s cannot be read: %v", address, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers with %s", address, resp.Status)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	issuer, ok := strings.CutPrefix(strings.TrimSpace(first), "vneid-sandbox-consent: ")
	var worlds []struct{ Issuer string }
	if err := e.api.get(ctx, "/worlds", &worlds); err != nil {
		return err
	}
	for _, w := range worlds {
		if ok && w.Issuer == issuer {
			return nil
		}
	}
	return fmt.Errorf("the first line of %s is not \"vneid-sandbox-consent: \" and the issuer of this sandbox", address)
}

package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// readIssuer holds the issuer against OIDC Discovery §3.
func (v *visit) readIssuer(tell teller) bool {
	u, err := url.Parse(v.Issuer)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		tell.wrong("issuer", v.Issuer, say("Không phải URL http(s).", "No http(s) URL."), say("Viết ví dụ: --issuer http://localhost:9998", "Write for example: --issuer http://localhost:9998"))
		return false
	case vneid.IsGovHost(u.Hostname()):
		tell.wrong("issuer", v.Issuer, say("Tên miền .gov.vn: đây không phải hệ thống thử nghiệm.", "A host under .gov.vn is no test system."), Text{})
		return false
	case strings.HasSuffix(v.Issuer, "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil || v.Issuer != strings.ToLower(v.Issuer):
		tell.wrong("issuer", v.Issuer, say("Issuer được so từng ký tự: không có / cuối, chữ hoa, truy vấn.", "Issuers are compared to the character: no slash at the end, no capitals, no query."),
			say("Viết %s, cả trong cấu hình của cổng.", "Write %s, in the portal's configuration too.", strings.ToLower(strings.TrimRight(u.Scheme+"://"+u.Host+u.Path, "/"))))
		return false
	}
	v.issuer = u
	return true
}

// reach finds an address that answers for the issuer's name.
func (v *visit) reach(ctx context.Context, tell teller) bool {
	host, port := v.issuer.Hostname(), portOf(v.issuer)
	addresses := []string{host}
	if net.ParseIP(host) == nil {
		var err error
		lookup, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		if addresses, err = net.DefaultResolver.LookupHost(lookup, host); err != nil {
			tell.wrong("names", host, say("Máy này không biết tên đó: trình duyệt và chương trình trên máy không tới được issuer.", "This machine does not know that name: neither its browser nor its programs reach the issuer."),
				say("Thêm dòng '127.0.0.1 %[1]s' vào /etc/hosts, hoặc chọn --issuer http://localhost:%[2]s. Với container: docs/containers.vi.md.", "Add the line '127.0.0.1 %[1]s' to /etc/hosts, or take --issuer http://localhost:%[2]s. For containers: docs/containers.md.", host, port))
			return false
		}
	}
	var silent []string
	for _, a := range addresses {
		if at := net.JoinHostPort(a, port); open(ctx, at) {
			if v.at == "" {
				v.at = at
			}
		} else {
			silent = append(silent, a)
		}
	}
	switch {
	case v.at == "":
		tell.wrong("running", addressOf(v.issuer), say("Không có sandbox nào chạy ở đây: không ai nghe ở cổng này.", "No sandbox runs here: nobody listens on that port."),
			say("Chạy 'vneid-sandbox serve' (hoặc make run), hay cho biết nó ở đâu: doctor --issuer URL.", "Start 'vneid-sandbox serve' (or make run), or say where it is: doctor --issuer URL."))
		v.ports(ctx, tell)
		return false
	case len(silent) > 0:
		tell.doubt("names", host, say("Tên này còn chỉ tới %s, nơi không ai nghe: chương trình thử địa chỉ đó trước sẽ không kết nối được.", "The name also leads to %s, where nobody listens: programs that try it first do not connect.", strings.Join(silent, ", ")),
			say("Dùng --listen localhost:%[1]s (nghe cả 127.0.0.1 và ::1), hoặc issuer http://127.0.0.1:%[1]s.", "Take --listen localhost:%[1]s (which is 127.0.0.1 and ::1), or the issuer http://127.0.0.1:%[1]s.", port))
	default:
		tell.ok("names", host, say("%s → %s", "%s → %s", host, strings.Join(addresses, ", ")))
	}
	return true
}

// ports says which of our usual ports somebody else has, when we do not run.
func (v *visit) ports(ctx context.Context, tell teller) {
	for _, p := range []struct{ port, flag string }{{"9998", "--listen"}, {"9997", "--sandbox-listen"}, {"9999", "PORTAL_LISTEN"}} {
		if p.port != portOf(v.issuer) && open(ctx, net.JoinHostPort("127.0.0.1", p.port)) {
			tell.doubt("ports", p.port, say("Cổng này đang bị một chương trình khác dùng.", "Another program has this port."), say("Dừng nó, hoặc chọn cổng khác bằng %s.", "Stop it, or choose another port with %s.", p.flag))
		}
	}
}

func tlsConfig(roots *x509.CertPool) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
}

// trust asks who vouches for the certificate, the system or the CA file.
func (v *visit) trust(ctx context.Context, tell teller) bool {
	system, err := x509.SystemCertPool()
	if err != nil {
		system = x509.NewCertPool()
	}
	given := system.Clone()
	if len(v.CA) > 0 && !given.AppendCertsFromPEM(v.CA) {
		tell.wrong("tls", "--ca", say("Trong tệp --ca không có chứng chỉ PEM nào.", "The file of --ca holds no certificate in PEM."), say("Thường là var/ca.pem, hoặc /ca.pem của sandbox.", "It is usually var/ca.pem, or /ca.pem of the sandbox."))
	}
	v.roots = given
	v.http = v.client("")
	if v.issuer.Scheme != "https" {
		return true
	}
	// Nothing is sent here: the certificate is only looked at, and verified below.
	looking := &tls.Dialer{NetDialer: &net.Dialer{Timeout: wait}, Config: &tls.Config{InsecureSkipVerify: true, ServerName: v.issuer.Hostname(), MinVersion: tls.VersionTLS12}}
	conn, err := looking.DialContext(ctx, "tcp", v.at)
	if err != nil {
		tell.wrong("tls", v.at, say("Không bắt tay TLS được: %v", "No TLS handshake: %v", err), say("Nếu sandbox chạy không TLS, issuer phải bắt đầu bằng http://; nếu muốn https: serve --tls auto.", "If the sandbox runs without TLS, the issuer begins with http://; for https: serve --tls auto."))
		return false
	}
	chain := conn.(*tls.Conn).ConnectionState().PeerCertificates
	conn.Close()
	leaf := chain[0]
	options := x509.VerifyOptions{Roots: system, Intermediates: x509.NewCertPool(), DNSName: v.issuer.Hostname(), CurrentTime: v.Clock.Now()}
	for _, c := range chain[1:] {
		options.Intermediates.AddCert(c)
	}
	_, bySystem := leaf.Verify(options)
	options.Roots = given
	_, byGiven := leaf.Verify(options)
	switch left := leaf.NotAfter.Sub(v.Clock.Now()); {
	case byGiven != nil:
		fix := say("Cho biết CA: doctor --ca var/ca.pem (serve --tls auto tạo ra nó).", "Name the CA: doctor --ca var/ca.pem (serve --tls auto makes it).")
		var name x509.HostnameError
		var invalid x509.CertificateInvalidError
		switch {
		case errors.As(byGiven, &name):
			fix = say("Chứng chỉ không dành cho %[1]s: thêm --allow-hosts %[1]s (với --tls auto), hoặc dùng tên có trong chứng chỉ.", "The certificate is not for %[1]s: add --allow-hosts %[1]s (with --tls auto), or use a name that it is for.", v.issuer.Hostname())
		case errors.As(byGiven, &invalid) && invalid.Reason == x509.Expired:
			fix = say("Xem đồng hồ của máy này; khởi động lại serve để làm mới chứng chỉ.", "Look at the clock of this machine; start serve again to renew the certificate.")
		}
		tell.wrong("tls", v.at, say("Chương trình trên máy này không tin chứng chỉ: %v", "Programs on this machine do not trust the certificate: %v", byGiven), fix)
		return false
	case left < 7*24*time.Hour:
		tell.doubt("tls", v.at, say("Chứng chỉ hết hạn ngày %s.", "The certificate ends on %s.", leaf.NotAfter.UTC().Format(time.DateOnly)), say("Khởi động lại serve: --tls auto tự làm mới; chứng chỉ riêng thì thay tệp.", "Start serve again: --tls auto renews; replace a certificate of your own."))
	case bySystem != nil:
		tell.note("tls", v.at, say("Được tin nhờ --ca, không phải nhờ hệ thống: cổng của bạn cũng phải được cho biết CA này.", "Trusted by --ca, not by the system: your portal has to be told of this CA too."),
			say("NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, REQUESTS_CA_BUNDLE, hoặc keytool -importcert cho Java.", "NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, REQUESTS_CA_BUNDLE, or keytool -importcert for Java."))
	default:
		tell.ok("tls", v.at, say("Hệ thống tin chứng chỉ này.", "The system trusts the certificate."))
	}
	return true
}

// answers asks whether a sandbox is there, and not another program.
func (v *visit) answers(ctx context.Context, tell teller) bool {
	root := v.issuer.Scheme + "://" + v.issuer.Host
	a, err := get(ctx, v.http, root+"/healthz", "")
	switch {
	case err != nil:
		tell.wrong("running", root, say("Có chương trình nghe ở đó nhưng không trả lời HTTP: %v", "A program listens there and does not answer by HTTP: %v", err), say("Dừng nó, hoặc chọn cổng khác: serve --listen.", "Stop it, or choose another port: serve --listen."))
	case a.status == http.StatusBadRequest && strings.Contains(string(a.body), "HTTPS server"):
		tell.wrong("running", root, say("Ở đó nói https, issuer lại viết http.", "It speaks https there, and the issuer says http."), say("Viết https://%s, cả trong cấu hình của cổng.", "Write https://%s, in the portal's configuration too.", v.issuer.Host))
	case a.status == http.StatusMisdirectedRequest:
		tell.wrong("running", root, say("Sandbox từ chối tên %s: không phải tên loopback, cũng không có trong allow_hosts.", "The sandbox refuses the name %s: it is no loopback name and not under allow_hosts.", v.issuer.Hostname()),
			say("serve --allow-hosts %s, hoặc --issuer với tên đó.", "serve --allow-hosts %s, or --issuer with that name.", v.issuer.Hostname()))
	case a.status != http.StatusOK || strings.TrimSpace(string(a.body)) != "ok" || a.header.Get("X-Robots-Tag") != "noindex":
		tell.wrong("ports", root, say("Một chương trình khác, không phải sandbox, dùng cổng này (/healthz trả %d).", "Another program, no sandbox, has this port (/healthz answers %d).", a.status),
			say("Dừng nó, hoặc chọn cổng khác: serve --listen localhost:19998 --issuer http://localhost:19998.", "Stop it, or choose another port: serve --listen localhost:19998 --issuer http://localhost:19998."))
	default:
		if a, err := get(ctx, v.http, root+"/ready", ""); err != nil || a.status != http.StatusOK {
			tell.wrong("running", root, say("Sandbox chạy nhưng cơ sở dữ liệu không trả lời.", "The sandbox runs, and its database does not answer."), say("Xem nhật ký của serve.", "Look at the log of serve."))
			return true
		}
		tell.ok("running", root, say("Sandbox đang chạy.", "The sandbox runs."))
		v.machineClock(tell, a.header.Get("Date"))
		return true
	}
	return false
}

// machineClock compares the clocks of the two machines, by the Date header.
func (v *visit) machineClock(tell teller, date string) {
	there, err := http.ParseTime(date)
	if err != nil {
		return
	}
	if off := v.Clock.Now().Sub(there).Abs(); off > 5*time.Second {
		tell.wrong("clock", v.issuer.Host, say("Đồng hồ máy này và máy sandbox lệch nhau %s.", "The clocks of this machine and the sandbox's differ by %s.", off.Round(time.Second)),
			say("Đồng bộ cả hai (NTP); trong máy ảo Docker: khởi động lại nó.", "Synchronise both (NTP); in Docker's virtual machine: restart it."))
		return
	}
	tell.ok("clock", v.issuer.Host, say("Đồng hồ hai máy khớp nhau.", "The clocks agree."))
}

// proxies warns of programs that would send requests for this machine away.
func (v *visit) proxies(tell teller) {
	name := strings.ToUpper(v.issuer.Scheme) + "_PROXY"
	proxy := v.Env(name)
	if proxy == "" {
		proxy = v.Env(strings.ToLower(name))
	}
	none := v.Env("NO_PROXY") + "," + v.Env("no_proxy")
	if proxy == "" || strings.Contains(none, v.issuer.Hostname()) || strings.Contains(none, "*") {
		return
	}
	tell.doubt("proxy", name, say("Biến môi trường này đưa yêu cầu tới %s qua proxy; nhiều thư viện làm vậy cả với localhost.", "This environment variable sends requests for %s through a proxy; many libraries do so even for localhost.", v.issuer.Hostname()),
		say("NO_PROXY=%s", "NO_PROXY=%s", "localhost,127.0.0.1,::1,"+v.issuer.Hostname()))
}

// discover reads the discovery document as a library would.
func (v *visit) discover(ctx context.Context, tell teller) bool {
	address := v.Issuer + "/.well-known/openid-configuration"
	a, err := get(ctx, v.http, address, "")
	switch {
	case err != nil:
		tell.wrong("issuer", address, say("Không đọc được: %v", "Cannot be read: %v", err), Text{})
	case !a.json(&v.metadata):
		tell.wrong("issuer", address, say("Không phải tài liệu discovery (mã %d).", "No discovery document (status %d).", a.status), say("Issuer có đúng đường dẫn không? Thế giới 'abc' là %s/w/abc.", "Is the path of the issuer right? World 'abc' is %s/w/abc.", v.issuer.Scheme+"://"+v.issuer.Host))
	case v.metadata.Issuer != v.Issuer:
		tell.wrong("issuer", address, say("Tài liệu khai issuer %s, khác từ ký tự %d: thư viện của cổng sẽ từ chối.", "The document names the issuer %s, which differs at character %d: the portal's library refuses it.", v.metadata.Issuer, firstDifference(v.Issuer, v.metadata.Issuer)),
			say("Cấu hình cổng với %s, hoặc chạy serve --issuer %s, hoặc serve --issuer request.", "Configure the portal with %s, or run serve --issuer %s, or serve --issuer request.", v.metadata.Issuer, v.Issuer))
	default:
		tell.ok("issuer", v.Issuer, say("Discovery khai đúng issuer này.", "Discovery names this very issuer."))
	}
	return v.metadata.Issuer != ""
}

// endpoints asks whether the addresses of discovery lead anywhere from here.
func (v *visit) endpoints(ctx context.Context, tell teller) {
	seen := map[string]bool{}
	for _, raw := range []string{v.metadata.Authorization, v.metadata.Token, v.metadata.Userinfo, v.metadata.JWKS, v.metadata.EndSession} {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || seen[u.Host] {
			continue
		}
		seen[u.Host] = true
		if !open(ctx, addressOf(u)) {
			tell.wrong("endpoints", raw, say("Máy này không tới được địa chỉ đó trong discovery.", "This machine does not reach that address of discovery."), say("Đặt --browser-url (cho trình duyệt) và --issuer thành địa chỉ mà cả hai tới được; docs/containers.vi.md.", "Set --browser-url (for browsers) and --issuer to addresses that both reach; docs/containers.md."))
		}
	}
}

// keys reads the JWKS as a library would.
func (v *visit) keys(ctx context.Context, tell teller) {
	var set struct {
		Keys []struct{ Kid, Alg, Kty, Use, D string } `json:"keys"`
	}
	a, err := get(ctx, v.http, v.metadata.JWKS, "")
	if err != nil || !a.json(&set) {
		tell.wrong("keys", v.metadata.JWKS, say("Không đọc được bộ khóa: cổng không kiểm được ID token.", "The key set cannot be read: the portal cannot check ID tokens."), Text{})
		return
	}
	kids, algs := map[string]bool{}, map[string]bool{}
	for _, k := range set.Keys {
		kids[k.Kid], algs[k.Alg] = true, true
	}
	if len(kids) != len(set.Keys) || !algs["RS256"] {
		tell.wrong("keys", v.metadata.JWKS, say("Bộ khóa có kid trùng hoặc thiếu khóa RS256.", "The key set repeats a kid or lacks a key for RS256."), Text{})
		return
	}
	tell.ok("keys", v.metadata.JWKS, say("%d khóa ký.", "%d signing keys.", len(set.Keys)))
}

package doctor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// api is an address of the automation API of the issuer's world.
func (v *visit) api(path string) string { return v.SandboxURL + "/api/v1" + v.issuer.Path + path }

// sandbox asks whether the sandbox listener is where this machine's browser,
// its programs and a real phone look for it.
func (v *visit) sandbox(ctx context.Context, tell teller) bool {
	u, err := url.Parse(v.SandboxURL)
	if err != nil || u.Hostname() == "" {
		tell.wrong("sandbox", v.SandboxURL, say("Không phải URL.", "No URL."), say("doctor --sandbox-url http://localhost:9997", "doctor --sandbox-url http://localhost:9997"))
		return false
	}
	v.phoneReach(tell, u)
	// Where pages of the provider send people, which may be another address.
	if a, err := get(ctx, v.http, v.Issuer+"/", ""); err == nil && a.status == http.StatusOK && !strings.Contains(string(a.body), `href="`+v.SandboxURL+v.issuer.Path) {
		tell.doubt("sandbox", v.SandboxURL, say("Trang của nhà cung cấp dẫn tới địa chỉ sandbox khác: mã QR mang địa chỉ kia.", "The provider's pages lead to another address of the sandbox: QR codes carry that one."),
			say("serve --sandbox-url %[1]s, hoặc doctor --sandbox-url với địa chỉ kia.", "serve --sandbox-url %[1]s, or doctor --sandbox-url with the other address.", v.SandboxURL))
	}
	a, err := get(ctx, v.http, v.api("/clock"), v.Token)
	switch {
	case err != nil:
		tell.wrong("sandbox", v.SandboxURL, say("Không tới được: %v. Không có hộp thư SMS, điện thoại, API.", "Not reached: %v. No SMS inbox, phone or API.", err), say("doctor --sandbox-url URL, hoặc serve --sandbox-listen.", "doctor --sandbox-url URL, or serve --sandbox-listen."))
	case a.status == http.StatusUnauthorized && v.Token == "":
		tell.doubt("token", v.SandboxURL, say("API đòi mã truy cập; phần còn lại không xem được.", "The API asks for its token; the rest cannot be looked at."), say("Đặt VNEID_SANDBOX_TOKEN như của serve.", "Set VNEID_SANDBOX_TOKEN as serve has it."))
	case a.status == http.StatusUnauthorized:
		tell.wrong("token", v.SandboxURL, say("VNEID_SANDBOX_TOKEN ở đây không phải mã của sandbox này.", "VNEID_SANDBOX_TOKEN here is not the token of this sandbox."), say("Lấy giá trị mà serve được khởi động với.", "Take the value that serve was started with."))
	case a.status == http.StatusForbidden:
		tell.wrong("token", v.SandboxURL, say("API chỉ nhận yêu cầu trực tiếp từ chính máy sandbox.", "The API takes direct requests of its own machine only."), say("Gọi bằng localhost trên máy đó, hoặc khởi động serve với VNEID_SANDBOX_TOKEN.", "Call it by localhost on that machine, or start serve with VNEID_SANDBOX_TOKEN."))
	case a.status != http.StatusOK:
		tell.wrong("sandbox", v.SandboxURL, say("API trả lời %d.", "The API answers %d.", a.status), say("Đây có phải địa chỉ của --sandbox-listen không?", "Is this the address of --sandbox-listen?"))
	default:
		if v.Token != "" {
			tell.ok("token", v.SandboxURL, say("API nhận mã truy cập.", "The API takes the token."))
		} else {
			tell.ok("sandbox", v.SandboxURL, say("API trả lời, không cần mã, chỉ cho máy này.", "The API answers, without a token, this machine only."))
		}
		return true
	}
	return false
}

// phoneReach says what a real phone needs, to which localhost is the phone.
func (v *visit) phoneReach(tell teller, u *url.URL) {
	address := v.SandboxURL + "/phone"
	switch {
	case isLoopback(u.Hostname()):
		tell.note("phone", address, say("Mã QR dẫn tới đây: điện thoại giả lập trên máy này dùng được, điện thoại thật thì không (localhost là chính nó).", "QR codes lead here: the pretend phone on this machine works, a real one does not (localhost is itself)."),
			say("Muốn dùng điện thoại thật: serve --tls auto --listen 0.0.0.0:9998 --issuer https://IP:9998 --sandbox-listen 0.0.0.0:9997 --sandbox-url https://IP:9997, IP của máy này%s.", "For a real phone: serve --tls auto --listen 0.0.0.0:9998 --issuer https://IP:9998 --sandbox-listen 0.0.0.0:9997 --sandbox-url https://IP:9997, with this machine's IP%s.", ownAddresses()))
	case isLoopback(v.issuer.Hostname()):
		tell.ok("phone", address, say("Điện thoại trong mạng tới được sandbox; trình duyệt đăng nhập phải ở trên máy này.", "Phones of the network reach the sandbox; the browser that signs in has to be on this machine."))
	case u.Scheme == "http":
		tell.doubt("phone", address, say("Trình duyệt điện thoại không cho dùng camera qua http.", "A phone's browser gives no camera over http."), say("serve --tls auto và --sandbox-url https://…; mã gõ tay vẫn dùng được.", "serve --tls auto and --sandbox-url https://…; the typed code works anyway."))
	default:
		tell.ok("phone", address, say("Điện thoại thật trong mạng tới được; nó phải tin chứng chỉ.", "Real phones of the network can reach it; they have to trust the certificate."))
	}
}

// ownAddresses are those by which other machines may reach this one.
func ownAddresses() string {
	var list []string
	addresses, _ := net.InterfaceAddrs() // none is fine
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsPrivate() {
			list = append(list, n.IP.String())
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " (" + strings.Join(list, ", ") + ")"
}

// clock asks whether the world's time is that of this machine.
func (v *visit) clock(ctx context.Context, tell teller) {
	var world struct{ Now time.Time }
	a, err := get(ctx, v.http, v.api("/clock"), v.Token)
	if err != nil || !a.json(&world) {
		return
	}
	if off := world.Now.Sub(v.Clock.Now()).Abs(); off > 30*time.Second {
		tell.wrong("clock", v.api("/clock"), say("Đồng hồ của sandbox đã bị dời %s: cổng sẽ thấy token hết hạn hoặc phát hành trong tương lai.", "The sandbox's clock was moved by %s: the portal finds tokens expired or issued in the future.", off.Round(time.Second)),
			say(`Về giờ thật: curl %s -H 'Content-Type: application/json' -d '{"reset": true}'`, `Back to real time: curl %s -H 'Content-Type: application/json' -d '{"reset": true}'`, v.api("/clock")))
	}
}

type client struct {
	ClientID      string   `json:"client_id"`
	RedirectURIs  []string `json:"redirect_uris"`
	LogoutURIs    []string `json:"post_logout_redirect_uris"`
	BackchannelTo string   `json:"backchannel_logout_uri"`
}

// anyPort is the seeded client whose loopback URIs fit every port (RFC 8252
// §7.3).
const anyPort = "my-portal"

// mostClients bounds how many are looked at; each port is tried for a second.
const mostClients = 50

// clients looks at the addresses that relying parties registered.
func (v *visit) clients(ctx context.Context, tell teller) {
	var list []client
	a, err := get(ctx, v.http, v.api("/clients"), v.Token)
	if err != nil || !a.json(&list) {
		tell.doubt("clients", v.api("/clients"), say("Không đọc được danh sách client.", "The list of clients cannot be read."), Text{})
		return
	}
	if len(list) == 0 {
		tell.wrong("clients", v.api("/clients"), say("Chưa có client nào: không cổng nào đăng nhập được.", "There is no client: no portal can sign anybody in."), say("Đăng ký bằng POST /api/v1/clients, hoặc bỏ --seed none.", "Register one by POST /api/v1/clients, or leave out --seed none."))
	}
	open := portsOpen{}
	for _, c := range list[:min(len(list), mostClients)] {
		v.client1(ctx, tell, c, open)
	}
	if len(list) > mostClients {
		tell.note("clients", v.api("/clients"), say("Chỉ xem %d trong %d client.", "Looked at %d of %d clients only.", mostClients, len(list)), Text{})
	}
}

// portsOpen remembers which addresses answered.
type portsOpen map[string]bool

func (p portsOpen) ask(ctx context.Context, address string) bool {
	answer, known := p[address]
	if !known {
		answer = open(ctx, address)
		p[address] = answer
	}
	return answer
}

func (v *visit) client1(ctx context.Context, tell teller, c client, ports portsOpen) {
	exact := "redirect_uri: " + strings.Join(c.RedirectURIs, " ")
	if c.ClientID == anyPort {
		tell.ok("clients", c.ClientID, say("%s, trên cổng loopback bất kỳ.", "%s, on any loopback port.", exact))
		return
	}
	reached, sameHost := false, false
	for _, raw := range c.RedirectURIs {
		u, err := url.Parse(raw)
		if err != nil {
			continue
		}
		sameHost = sameHost || u.Hostname() == v.issuer.Hostname()
		if net.ParseIP(u.Hostname()) == nil && u.Hostname() != "localhost" {
			lookup, cancel := context.WithTimeout(ctx, wait)
			_, err := net.DefaultResolver.LookupHost(lookup, u.Hostname())
			cancel()
			if err != nil {
				tell.doubt("clients", c.ClientID, say("Máy này không biết tên %s trong %s: trình duyệt ở đây không quay về cổng được.", "This machine does not know the name %s of %s: a browser here cannot come back to the portal.", u.Hostname(), raw),
					say("Redirect URI là địa chỉ mà trình duyệt dùng: thường là http://localhost với cổng đã công bố.", "A redirect URI is the browser's address: usually http://localhost with the published port."))
				continue
			}
		}
		reached = ports.ask(ctx, addressOf(u)) || reached
	}
	if reached {
		tell.ok("clients", c.ClientID, say("Cổng đang nghe. Phải gửi đúng từng ký tự: %s", "The portal listens. To be sent to the character: %s", exact))
	} else {
		tell.note("clients", c.ClientID, say("Không ai nghe ở các địa chỉ trả về; cổng chưa chạy? Phải gửi đúng từng ký tự: %s", "Nobody listens at the redirect URIs; is the portal not running? To be sent to the character: %s", exact), Text{})
	}
	if sameHost && reached {
		tell.note("clients", c.ClientID, say("Cổng và nhà cung cấp cùng tên %s: trình duyệt dùng chung cookie giữa các cổng mạng, điều không có trong thực tế.", "Portal and provider share the name %s: browsers share cookies between ports, which real life does not have.", v.issuer.Hostname()),
			say("Cho cổng chạy ở 127.0.0.1 khi issuer là localhost (hoặc ngược lại).", "Let the portal be at 127.0.0.1 when the issuer is localhost (or the other way round)."))
	}
	if u, err := url.Parse(c.BackchannelTo); err == nil && u.Host != "" && reached && !ports.ask(ctx, addressOf(u)) {
		tell.doubt("clients", c.ClientID, say("backchannel_logout_uri %s không ai nghe: cổng sẽ không biết khi phiên kết thúc.", "Nobody listens at backchannel_logout_uri %s: the portal does not hear that a session ended.", c.BackchannelTo),
			say("Nhà cung cấp gọi địa chỉ này: nếu nó ở trong container, dùng tên dịch vụ của cổng.", "The provider calls it: where that is in a container, take the portal's service name."))
	}
}

// hostNames mean the machine itself to a container.
var hostNames = []string{"host.docker.internal", "host.containers.internal", "gateway.docker.internal"}

// fromContainer asks as a container would that calls the provider by a name,
// whether this machine knows the name or not.
func (v *visit) fromContainer(ctx context.Context, tell teller, name string) {
	authority := name
	if _, _, err := net.SplitHostPort(name); err != nil {
		authority = net.JoinHostPort(name, portOf(v.issuer))
	}
	issuer := v.issuer.Scheme + "://" + authority + v.issuer.Path
	host, _, _ := net.SplitHostPort(authority)
	if slices.Contains(hostNames, host) && !v.beyondLoopback(ctx) {
		tell.wrong("container", name, say("Nhà cung cấp chỉ nghe trên loopback: container không tới được máy này.", "The provider listens on loopback only: a container does not reach this machine."),
			say("VNEID_SANDBOX_TOKEN=… serve --listen 0.0.0.0:%s --issuer request --browser-url %s --allow-hosts %s", "VNEID_SANDBOX_TOKEN=… serve --listen 0.0.0.0:%s --issuer request --browser-url %s --allow-hosts %s", portOf(v.issuer), v.Issuer, host))
	}
	a, err := get(ctx, v.client(v.at), issuer+"/.well-known/openid-configuration", "")
	var m metadata
	switch {
	case err != nil:
		fix := Text{}
		if v.issuer.Scheme == "https" {
			fix = say("Chứng chỉ phải dành cho %[1]s: serve --tls auto --allow-hosts %[1]s (tên một nhãn không được; dùng bí danh %[1]s.internal).", "The certificate has to be for %[1]s: serve --tls auto --allow-hosts %[1]s (not for single-label names; take the alias %[1]s.internal).", host)
		}
		tell.wrong("container", name, say("%s không trả lời: %v", "%s does not answer: %v", issuer, err), fix)
		return
	case a.status == http.StatusMisdirectedRequest:
		tell.wrong("container", name, say("Sandbox từ chối tên này: nó không có trong allow_hosts.", "The sandbox refuses this name: it is not under allow_hosts."), say("serve --allow-hosts %s --issuer request --browser-url %s", "serve --allow-hosts %s --issuer request --browser-url %s", host, v.Issuer))
		return
	case !a.json(&m):
		tell.wrong("container", name, say("Không có discovery ở %s (mã %d).", "No discovery at %s (status %d).", issuer, a.status), Text{})
		return
	case m.Issuer != issuer:
		tell.wrong("container", name, say("Cổng trong container đọc discovery ở %s thấy issuer %s: thư viện từ chối.", "A portal in a container that reads discovery at %s finds the issuer %s: its library refuses.", issuer, m.Issuer),
			say("serve --issuer request --browser-url %[1]s --allow-hosts %[2]s; hoặc cấu hình cổng: issuer %[1]s, còn token, userinfo, jwks ở %[3]s.", "serve --issuer request --browser-url %[1]s --allow-hosts %[2]s; or configure the portal: issuer %[1]s, with token, userinfo and jwks endpoints at %[3]s.", v.Issuer, host, issuer))
		return
	}
	u, err := url.Parse(m.Authorization)
	if err != nil || !open(ctx, addressOf(u)) {
		tell.doubt("container", name, say("Cổng trong container chạy được, nhưng trình duyệt được đưa tới %s, nơi máy này không tới được.", "A portal in a container works, but browsers are sent to %s, which this machine does not reach.", m.Authorization),
			say("serve --browser-url %s (trừ khi trình duyệt cũng ở trong container).", "serve --browser-url %s (unless the browser is in a container too).", v.Issuer))
		return
	}
	tell.ok("container", name, say("Cổng dùng issuer %s; trình duyệt đi qua %s.", "A portal uses the issuer %s; browsers go by %s.", issuer, fmt.Sprintf("%s://%s", u.Scheme, u.Host)))
}

// beyondLoopback reports whether another address of this machine leads to the
// provider.
func (v *visit) beyondLoopback(ctx context.Context) bool {
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() && open(ctx, net.JoinHostPort(n.IP.String(), portOf(v.issuer))) {
			return true
		}
	}
	return false
}

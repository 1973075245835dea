package people

import (
	"fmt"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Default is the seed of every world nobody chose another for: thirteen
// people, each of them one situation a portal has to cope with, and two
// clients. The prefix 095 belongs to no network.
//
// scheme is that of the provider: the portal beside it is told of logouts in
// the same way.
func Default(scheme string) Data {
	return Data{Version: "default@2 " + scheme, Personas: defaultPersonas(), Clients: defaultClients(scheme),
		Register: []vneid.RegisterEntry{
			{CCCD: "038198000008", Name: "Ngô Thị Khánh Lynh"}, // a typo there
			{CCCD: "038093000013", Absent: true},
			{CCCD: "038065000014", Deceased: true},
		},
		Askers: []Asker{{Name: "thanhhoa-portal", Key: "thanhhoa-dancu-key", PerMinute: defaultPerMinute}}}
}

// defaultPerMinute is the quota of a consumer that asks for none: more than a
// sign-in page needs, fewer than it takes to try numbers out.
const defaultPerMinute = 120

func defaultPersonas() []vneid.Persona {
	an := citizen("038090000001", "Nguyễn Văn An", "male", "1990-03-15", "0950000001",
		"Mọi thứ đều hoạt động: mức 2, cho phép đăng nhập trên website, hồ sơ đầy đủ.")
	an.Email = "an.nguyen@example.test"
	an.Address = &vneid.Address{Street: "12 đường Lê Lợi", Commune: "Phường Hạc Thành", Province: "Tỉnh Thanh Hóa"}

	binh := citizen("038190000002", "Lê Thị Bình", "female", "1990-07-02", "0950000002",
		"Đã tắt \"Đăng nhập trên website\" trên điện thoại (chỉ chặn đăng nhập bằng QR).")
	binh.WebLogin = false

	cuong := citizen("038095000003", "Trần Văn Cường", "male", "1995-11-20", "0950000003",
		"Tài khoản mức 1: đăng nhập bằng mật khẩu và OTP khi cổng cho phép, không bao giờ bằng QR.")
	cuong.AccountLevel = 1

	dung := citizen("038188000004", "Phạm Thị Dung", "female", "1988-01-09", "0950000004", "Tài khoản bị khóa.")
	dung.Status = vneid.AccountLocked

	em := citizen("038085000005", "Hoàng Văn Em", "male", "1985-05-05", "0950000005", "Tin nhắn SMS không bao giờ đến.")
	em.SMS = vneid.SMSNever

	giang := citizen("038192000006", "Đỗ Thị Giang", "female", "1992-12-12", "0950000006", "Tin nhắn SMS đến sau 90 giây.")
	giang.SMS = vneid.SMSLate

	hai := citizen("038060000007", "Vũ Văn Hải", "male", "1960", "0950000007",
		"Chỉ biết năm sinh; còn số CMND cũ 171234567.")
	hai.CMND = "171234567"

	quang := citizen("038070000012", "Tạ Văn Quang", "male", "1970-10-10", "0950000012", "Tài khoản chưa được kích hoạt.")
	quang.Status = vneid.AccountNotActivated

	return []vneid.Persona{
		an, binh, cuong, dung, em, giang, hai,
		citizen("038198000008", "Ngô Thị Khánh Linh", "female", "1998-08-08", "0950000008",
			"Tên trong CSDL quốc gia về dân cư khác (ở đó có lỗi chính tả)."),
		citizen("038075000009", "Bùi Văn Minh", "male", "1975-09-30", "0950000009",
			"Đồng thời là cán bộ của cổng dịch vụ công."),
		citizen("001302000010", "Mai Anh Nguyệt", "female", "2002-04-30", "",
			"Đăng ký khai sinh tại Hà Nội; tài khoản không có số điện thoại nên không nhận được OTP."),
		quang,
		citizen("038093000013", "Đặng Thế Sơn", "male", "1993-06-18", "0950000013",
			"Không có trong CSDL quốc gia về dân cư."),
		citizen("038065000014", "Cao Văn Tâm", "male", "1965-03-03", "0950000014",
			"CSDL quốc gia về dân cư ghi là đã mất."),
	}
}

// citizen is a person with whom nothing is special.
func citizen(number vneid.CCCD, name, gender, birthdate string, phone vneid.PhoneNumber, note string) vneid.Persona {
	return vneid.Persona{
		CCCD: number, Name: name, Gender: gender, Birthdate: birthdate, Phone: phone, Note: note,
		AccountLevel: 2, AccountType: "citizen", Status: vneid.AccountActive, WebLogin: true, SMS: vneid.SMSInstant,
	}
}

func defaultClients(scheme string) []Client {
	portal := Client{Secret: "thanhhoa-portal-secret", ClientMetadata: vneid.ClientMetadata{
		ClientID:                "thanhhoa-portal",
		ClientName:              "Cổng dịch vụ công tỉnh Thanh Hóa (bản mẫu)",
		RedirectURIs:            onLoopback(":9999", "/callback"),
		PostLogoutRedirectURIs:  onLoopback(":9999", "/"),
		BackchannelLogoutURI:    scheme + "://127.0.0.1:9999/backchannel-logout",
		TokenEndpointAuthMethod: vneid.AuthBasic,
		Consent:                 vneid.ConsentNever, // the real portal shows no sharing page, seed 003
	}}
	own := Client{Secret: "my-portal-secret", AnyPort: true, ClientMetadata: vneid.ClientMetadata{
		ClientID:                "my-portal",
		ClientName:              "Cổng của bạn",
		RedirectURIs:            onLoopback("", "/callback"),
		PostLogoutRedirectURIs:  onLoopback("", "/"),
		TokenEndpointAuthMethod: vneid.AuthBasic,
		Consent:                 vneid.ConsentOnce,
	}}
	clients := []Client{portal, own}
	for i := range clients {
		if bad := clients[i].Normalize(nil); len(bad) > 0 {
			panic(fmt.Sprintf("people: client %s: %v", clients[i].ClientID, bad)) // a test meets it first
		}
	}
	return clients
}

func onLoopback(port, path string) (uris []string) {
	for _, host := range []string{"127.0.0.1", "localhost"} {
		for _, scheme := range []string{"http", "https"} {
			uris = append(uris, scheme+"://"+host+port+path)
		}
	}
	return uris
}

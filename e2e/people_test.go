//go:build e2e || browser

package e2e_test

// password is every persona's.
const password = "Sandbox@2024"

type persona struct {
	CCCD, Name, Phone string
}

// The personas of the default seed.
var (
	an    = persona{"038090000001", "Nguyễn Văn An", "0950000001"}      // everything works
	binh  = persona{"038190000002", "Lê Thị Bình", "0950000002"}        // web login off: blocks QR only
	cuong = persona{"038095000003", "Trần Văn Cường", "0950000003"}     // level 1
	dung  = persona{"038188000004", "Phạm Thị Dung", "0950000004"}      // locked
	em    = persona{"038085000005", "Hoàng Văn Em", "0950000005"}       // SMS never arrives
	giang = persona{"038192000006", "Đỗ Thị Giang", "0950000006"}       // SMS arrives after 90 s
	hai   = persona{"038060000007", "Vũ Văn Hải", "0950000007"}         // only the year of birth is known
	linh  = persona{"038198000008", "Ngô Thị Khánh Linh", "0950000008"} // two middle names
	minh  = persona{"038075000009", "Bùi Văn Minh", "0950000009"}       // also an officer
	nguyt = persona{"001302000010", "Mai Anh Nguyệt", ""}               // no phone on the account
	quang = persona{"038070000012", "Tạ Văn Quang", "0950000012"}       // not yet activated
	son   = persona{"038093000013", "Đặng Thế Sơn", "0950000013"}       // in no population database
	tam   = persona{"038065000014", "Cao Văn Tâm", "0950000014"}        // reported deceased there
	nobod = persona{"038099999999", "", "0950009999"}                   // well-formed, but nobody has this number

	personas = []persona{an, binh, cuong, dung, em, giang, hai, linh, minh, nguyt, quang, son, tam}
)

package people

import "strings"

// What the population is made of: common Vietnamese names with roughly how
// often one meets them, the provinces of today, and names for roads and
// communes.
//
// The lists are part of who everybody is: an entry that is added, removed or
// moved gives other people to the same numbers. Start a new populationKey when
// that must be.

// share is a value and its weight among its list.
type share struct {
	value  string
	weight int
}

var familyNames = []share{
	{"Nguyễn", 31}, {"Trần", 11}, {"Lê", 10}, {"Phạm", 7}, {"Hoàng", 4}, {"Huỳnh", 3}, {"Phan", 4}, {"Vũ", 3}, {"Võ", 2}, {"Đặng", 3},
	{"Bùi", 2}, {"Đỗ", 2}, {"Hồ", 2}, {"Ngô", 2}, {"Dương", 1}, {"Lý", 1}, {"Đinh", 1}, {"Đoàn", 1}, {"Trịnh", 1}, {"Mai", 1},
	{"Trương", 1}, {"Lâm", 1}, {"Hà", 1}, {"Tạ", 1}, {"Cao", 1}, {"Lương", 1}, {"Châu", 1}, {"Quách", 1}, {"Nông", 1}, {"Vi", 1},
}

// maleMiddle and femaleMiddle are the words between họ and tên; "" = none.
var (
	maleMiddle = []share{
		{"Văn", 30}, {"Đức", 7}, {"Hữu", 6}, {"Minh", 6}, {"Quang", 5}, {"Xuân", 4}, {"Đình", 4}, {"Ngọc", 4}, {"Thanh", 4}, {"Công", 3},
		{"Quốc", 3}, {"Tuấn", 3}, {"Trọng", 3}, {"Anh", 2}, {"Duy", 2}, {"Bá", 2}, {"Thế", 2}, {"Viết", 2}, {"Gia", 2}, {"", 6},
	}
	femaleMiddle = []share{
		{"Thị", 30}, {"Thị Thu", 5}, {"Thị Thanh", 4}, {"Thị Ngọc", 4}, {"Thị Kim", 3}, {"Thị Mỹ", 2}, {"Thị Hồng", 3}, {"Thị Bích", 2},
		{"Ngọc", 6}, {"Thu", 5}, {"Thanh", 4}, {"Phương", 4}, {"Minh", 4}, {"Khánh", 3}, {"Bảo", 3}, {"Diệu", 2}, {"Quỳnh", 3}, {"Tuyết", 2},
		{"Hoài", 2}, {"Kim", 3}, {"", 6},
	}
)

var (
	maleGiven = strings.Fields(`An Anh Ân Bách Bảo Bằng Bình Bắc Cảnh Chiến Chính Chung Cường Danh Dũng Duy Dương Đại Đạt Điền
		Định Đông Đức Giang Hải Hạnh Hào Hiếu Hiệp Hòa Hoàn Hoàng Huân Hùng Huy Hưng Khang Khánh Khải Khoa Khôi Kiên Kiệt Kỳ
		Lâm Lập Linh Long Lộc Lợi Luân Lực Mạnh Minh Nam Nghĩa Nguyên Nhân Nhật Ninh Phong Phú Phúc Phước Quân Quang Quý Quyết
		Sang Sơn Tài Tâm Tân Thái Thành Thắng Thiện Thịnh Thọ Thông Thuận Tiến Tín Toàn Trí Trung Trường Tuấn Tùng Tường Việt Vinh Vũ Vương`)
	femaleGiven = strings.Fields(`An Anh Ánh Bình Bích Cúc Chi Châu Diễm Diệp Dung Duyên Đào Giang Hà Hạ Hải Hạnh Hằng Hân Hiền Hiếu Hoa
		Hòa Hoài Hồng Huệ Huyền Hương Hường Khanh Khuê Lam Lan Lê Liên Linh Loan Lụa Ly Mai Mây Mẫn Minh Mỹ My Na Nga Ngà Ngân Ngọc
		Nguyệt Nhàn Nhi Nhung Như Oanh Phương Phượng Quế Quyên Quỳnh Sen Sương Tâm Thảo Thanh Thắm Thơ Thơm Thu Thúy Thủy Thùy Thư Thương
		Trà Trang Trâm Trinh Trúc Tú Tuyền Tuyết Tươi Uyên Vân Vi Vy Xuân Xuyến Yên Yến`)
)

// today is the province or city of each code after the merger of 2025
// (Nghị quyết 202/2025/QH15).
var today = map[string]string{
	"001": "Thành phố Hà Nội", "002": "Tỉnh Tuyên Quang", "004": "Tỉnh Cao Bằng", "006": "Tỉnh Thái Nguyên", "008": "Tỉnh Tuyên Quang",
	"010": "Tỉnh Lào Cai", "011": "Tỉnh Điện Biên", "012": "Tỉnh Lai Châu", "014": "Tỉnh Sơn La", "015": "Tỉnh Lào Cai",
	"017": "Tỉnh Phú Thọ", "019": "Tỉnh Thái Nguyên", "020": "Tỉnh Lạng Sơn", "022": "Tỉnh Quảng Ninh", "024": "Tỉnh Bắc Ninh",
	"025": "Tỉnh Phú Thọ", "026": "Tỉnh Phú Thọ", "027": "Tỉnh Bắc Ninh", "030": "Thành phố Hải Phòng", "031": "Thành phố Hải Phòng",
	"033": "Tỉnh Hưng Yên", "034": "Tỉnh Hưng Yên", "035": "Tỉnh Ninh Bình", "036": "Tỉnh Ninh Bình", "037": "Tỉnh Ninh Bình",
	"038": "Tỉnh Thanh Hóa", "040": "Tỉnh Nghệ An", "042": "Tỉnh Hà Tĩnh", "044": "Tỉnh Quảng Trị", "045": "Tỉnh Quảng Trị",
	"046": "Thành phố Huế", "048": "Thành phố Đà Nẵng", "049": "Thành phố Đà Nẵng", "051": "Tỉnh Quảng Ngãi", "052": "Tỉnh Gia Lai",
	"054": "Tỉnh Đắk Lắk", "056": "Tỉnh Khánh Hòa", "058": "Tỉnh Khánh Hòa", "060": "Tỉnh Lâm Đồng", "062": "Tỉnh Quảng Ngãi",
	"064": "Tỉnh Gia Lai", "066": "Tỉnh Đắk Lắk", "067": "Tỉnh Lâm Đồng", "068": "Tỉnh Lâm Đồng", "070": "Tỉnh Đồng Nai",
	"072": "Tỉnh Tây Ninh", "074": "Thành phố Hồ Chí Minh", "075": "Tỉnh Đồng Nai", "077": "Thành phố Hồ Chí Minh", "079": "Thành phố Hồ Chí Minh",
	"080": "Tỉnh Tây Ninh", "082": "Tỉnh Đồng Tháp", "083": "Tỉnh Vĩnh Long", "084": "Tỉnh Vĩnh Long", "086": "Tỉnh Vĩnh Long",
	"087": "Tỉnh Đồng Tháp", "089": "Tỉnh An Giang", "091": "Tỉnh An Giang", "092": "Thành phố Cần Thơ", "093": "Thành phố Cần Thơ",
	"094": "Thành phố Cần Thơ", "095": "Tỉnh Cà Mau", "096": "Tỉnh Cà Mau",
}

// cities are where people move.
var cities = []string{"Thành phố Hà Nội", "Thành phố Hải Phòng", "Thành phố Đà Nẵng", "Thành phố Hồ Chí Minh", "Thành phố Cần Thơ", "Tỉnh Bắc Ninh"}

var (
	roads = []string{"Lê Lợi", "Trần Phú", "Nguyễn Trãi", "Hai Bà Trưng", "Quang Trung", "Lý Thường Kiệt", "Trần Hưng Đạo", "Phan Chu Trinh",
		"Hùng Vương", "Nguyễn Du", "Bà Triệu", "Ngô Quyền", "Lê Hồng Phong", "Điện Biên Phủ", "Lê Thánh Tông", "Hàm Nghi"}
	// communes exist in no register: a province may have one of the name.
	communes = []string{"Phường An Bình", "Xã An Hòa", "Phường Bình Minh", "Xã Đồng Tâm", "Phường Đông Phú", "Xã Hòa Lợi", "Xã Hưng Thịnh",
		"Phường Tân Lập", "Xã Tân Tiến", "Phường Thanh Xuân", "Xã Thuận Hòa", "Xã Vạn Thắng", "Phường Vĩnh An", "Xã Xuân Lộc", "Xã Yên Mỹ", "Phường Phú Cường"}
)

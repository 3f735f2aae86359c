package qdq

// Small is a file of two inputs, two neurons and two outputs, as quantizers write them.
func Small() []byte {
	m := &builder{}
	m.port(11, "image", 1, 2)
	m.floats("x_scale", []float32{1.0 / 128})
	m.uint8("x_zero", 0)
	m.node("QuantizeLinear", "xq", []string{"image", "x_scale", "x_zero"})
	m.node("DequantizeLinear", "xr", []string{"xq", "x_scale", "x_zero"})
	dense := func(in, out string, scale float32, weights []int8, bias []int32) {
		m.int8s(out+"_w", weights, 2, 2)
		m.floats(out+"_ws", []float32{1.0 / 64})
		m.node("DequantizeLinear", out+"_wr", []string{out + "_w", out + "_ws"})
		m.int32s(out+"_b", bias, 2)
		m.floats(out+"_bs", []float32{scale / 64})
		m.node("DequantizeLinear", out+"_br", []string{out + "_b", out + "_bs"})
		m.node("Gemm", out, []string{in, out + "_wr", out + "_br"}, attribute("transB", 1))
	}
	dense("xr", "h", 1.0/128, []int8{64, -64, -64, 64}, []int32{0, 0})
	m.node("Relu", "r", []string{"h"})
	m.floats("h_scale", []float32{1.0 / 128})
	m.uint8("h_zero", 0)
	m.node("QuantizeLinear", "hq", []string{"r", "h_scale", "h_zero"})
	m.node("DequantizeLinear", "hr", []string{"hq", "h_scale", "h_zero"})
	dense("hr", "g", 1.0/128, []int8{64, 32, -32, 64}, []int32{0, 640})
	m.floats("y_scale", []float32{1.0 / 64})
	m.int8s("y_zero", []int8{0})
	m.node("QuantizeLinear", "yq", []string{"g", "y_scale", "y_zero"})
	m.node("DequantizeLinear", "out", []string{"yq", "y_scale", "y_zero"})
	m.port(12, "out", 1, 2)
	return m.bytes()
}

package onnx

// The operators that are read. A name that is not in this table is an
// *nn.UnsupportedError, and so is any attribute that its rule does not know.

var operators = map[string]operator{
	// import_linear.go
	"Gemm":   {build: importGemm},
	"MatMul": {build: importMatMul},
	// import_conv.go
	"Conv":               {build: importConv},
	"BatchNormalization": {build: importBatchNorm},
	"AveragePool":        {build: importAveragePool},
	"MaxPool":            {build: importMaxPool},
	"GlobalAveragePool":  {build: importGlobalAveragePool},
	// import_elementwise.go
	"Relu":      {build: importRelu, fold: foldRelu},
	"LeakyRelu": {build: importLeakyRelu},
	"Sigmoid":   {build: importSigmoid},
	"Tanh":      {build: importTanh},
	"Atan":      {build: importAtan},
	"Neg":       {build: importNeg, fold: foldNeg},
	"Add":       {build: importAdd, fold: foldAdd},
	"Sub":       {build: importSub, fold: foldSub},
	"Mul":       {build: importMul, fold: foldMul},
	"Div":       {build: importDiv, fold: foldDiv},
	"Sum":       {build: importSum},
	// import_shape.go
	"Identity":  {build: importIdentity, fold: foldIdentity},
	"Dropout":   {build: importDropout},
	"Cast":      {build: importCast, fold: foldCast},
	"Flatten":   {build: importFlatten, fold: foldFlatten},
	"Reshape":   {build: importReshape, fold: foldReshape},
	"Squeeze":   {build: importSqueeze, fold: foldSqueeze},
	"Unsqueeze": {build: importUnsqueeze, fold: foldUnsqueeze},
	"Transpose": {build: importTranspose, fold: foldTranspose},
	"Expand":    {build: importExpand, fold: foldExpand},
	// import_index.go
	"Concat": {build: importConcat, fold: foldConcat},
	"Slice":  {build: importSlice, fold: foldSlice},
	"Split":  {build: importSplit, fold: foldSplit},
	"Gather": {build: importGather, fold: foldGather},
	"Pad":    {build: importPad},
	// import_reduce.go
	"ReduceSum":  {build: importReduceSum, fold: foldReduceSum},
	"ReduceMean": {build: importReduceMean},
	// fold*.go: constants only
	"Constant":        {fold: foldConstant},
	"ConstantOfShape": {fold: foldConstantOfShape},
	"Shape":           {build: importShape, fold: foldShape},
	"Size":            {build: importSize, fold: foldSize},
	"Range":           {fold: foldRange},
	"Where":           {fold: foldWhere},
	"Equal":           {fold: foldEqual},
	"Pow":             {fold: foldPow},
	"Sqrt":            {fold: foldSqrt},
	"Exp":             {fold: foldExp},
	"Floor":           {fold: foldFloor},
	"ReduceProd":      {fold: foldReduceProd},
}

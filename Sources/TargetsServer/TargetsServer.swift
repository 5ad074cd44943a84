// TargetsServer

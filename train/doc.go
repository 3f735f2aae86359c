// Package train fits classifiers whose proofs are cheap.
//
// It answers: with which parameters is this network accurate, robust, and easy
// to verify? A [Loss] says what is wanted, a [Trainer] descends on it.
//
//	Data ──► Engine.Fit ──► the network's parameters, History
//	            │  shuffle, batch, step: seed and step number decide all
//	            ▼
//	          Step ──► Pass at the batch, Pass at adversarial points (Attack),
//	            │      interval bounds; shared by all terms of a Sum
//	            ▼
//	          Loss.Add: value, gradients at outputs, hidden layers, bounds
//	            │
//	            ▼
//	          one walk back per Pass ──► Optimizer (Adam, SGD)
//
// Losses add up with weights, so TRADES+NBC is a value:
//
//	a := train.Attack{Epsilon: train.Ramp(0, 0.3, 0, 0.4)}
//	loss := append(train.NewTRADES(train.Constant(1), a), train.Term{Loss: train.NBC{Attack: a}})
//
// A run gives the same bits on any number of processors, and goes on after a kill
// as if nothing had happened, if Options.Checkpoint names a folder.
//
// All arithmetic is float32; what is proved about the result is package bab's
// business, and package train/eval measures it. Data sets are in train/dataset;
// train/gorgonia, a module of its own, is a second engine to check this one with.
//
//	source                                              file             test
//	Liu et al. 2025, arXiv:2412.13229 (NBC)             nbc.go           nbc_test.go
//	Madry et al. 2018, arXiv:1706.06083                 madry.go         gradient_test.go
//	Zhang et al. 2019, arXiv:1901.08573 (TRADES)        trades.go        gradient_test.go
//	Xiao et al. 2019, arXiv:1809.03008 (ReLU-stable)    relustable.go    interval_test.go
//	the same, improved interval arithmetic              composed.go      interval_test.go
//	Gowal et al. 2018, arXiv:1810.12715 (IBP)           certified.go     interval_test.go
//	the same, bounds with gradients                     interval.go      interval_test.go
//	Hoffman et al. 2019, arXiv:1908.02729 (Jacobian)    jacobian.go      gradient_test.go
//	Pearlmutter 1994, tangents                          dual.go          gradient_test.go
//	L1, L2                                              penalty.go       gradient_test.go
//	Goodfellow et al. 2015 (FGSM), Carlini and
//	Wagner 2017 (margin)                                attack.go        parts_test.go
//	Srivastava et al. 2014 (dropout)                    dropout.go       parts_test.go
//	Ioffe and Szegedy 2015 (batch normalisation)        batchnorm.go     gradient_test.go
//	Jacob et al. 2018 (training for integers)           quantize.go      parts_test.go
//	Kingma and Ba 2014 (Adam), Loshchilov and
//	Hutter 2019 (AdamW)                                 optimizer.go     trainer_test.go
//	He 2015, Glorot 2010                                initialize.go    parts_test.go
//	the paper's networks                                arch.go          parts_test.go
//	checkpoints                                         checkpoint.go    checkpoint_test.go
//
// The twins that gradients are checked against, in float64 and from the formulas
// alone, are in twin_test.go.
package train

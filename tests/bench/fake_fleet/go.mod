module emco.edge/fake-fleet

go 1.24

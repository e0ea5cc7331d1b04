module slipway.invalid/lab/real/guest

go 1.26.0

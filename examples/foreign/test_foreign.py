"""Tests of functions that nobody here wrote; see README.md for how to run them."""

import extra_cases
import scipy_cases
import sklearn_cases

test_gmean = scipy_cases.gmean.as_test()
test_gmean_by_name = scipy_cases.gmean_by_name.as_test()
test_hmean = scipy_cases.hmean.as_test()
test_logsumexp = scipy_cases.logsumexp.as_test()
test_masked_logsumexp = scipy_cases.masked_logsumexp.as_test()
test_softmax = scipy_cases.softmax.as_test()
test_log_softmax = scipy_cases.log_softmax.as_test()
test_entropy = scipy_cases.entropy.as_test()

test_mean_squared_error = sklearn_cases.mean_squared_error.as_test()
test_r2_score = sklearn_cases.r2_score.as_test()
test_mean_tweedie_deviance = sklearn_cases.mean_tweedie_deviance.as_test()

test_aweighted_cov = extra_cases.aweighted_cov.as_test()
test_fweighted_cov = extra_cases.fweighted_cov.as_test()
test_nanmean = extra_cases.nanmean.as_test()
test_nanmax = extra_cases.nanmax.as_test()
test_apply_where = extra_cases.apply_where.as_test()
test_sinc = extra_cases.sinc.as_test()

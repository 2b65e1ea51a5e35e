import { describeContract } from './describe-contract.ts';
import { plainServer } from './engines.ts';
import { troubleTests } from './trouble.ts';

describeContract(plainServer('asan'));
describeContract(plainServer('asan'), 'compressed');
troubleTests(plainServer('asan'));

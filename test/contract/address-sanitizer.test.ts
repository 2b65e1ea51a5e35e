import { describeContract } from './describe-contract.ts';
import { plainServer } from './engines.ts';

describeContract(plainServer('asan'));

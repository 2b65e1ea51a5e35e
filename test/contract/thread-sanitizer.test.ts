import { describeContract } from './describe-contract.ts';
import { plainServer } from './engines.ts';
import { troubleTests } from './trouble.ts';

describeContract(plainServer('tsan'));
troubleTests(plainServer('tsan'));

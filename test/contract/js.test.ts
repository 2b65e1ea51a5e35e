import { describeContract } from './describe-contract.ts';
import { jsEngine } from './engines.ts';

describeContract(jsEngine);

/** The deletion of a topic: by its brokers first, then by the name servers. */
import { RequestCode } from '../../protocol/codes.ts';
import type { TopicPart } from './routes.ts';
import type { Servers } from './servers.ts';

export async function deleteTopic(
  servers: Servers,
  topic: string,
  parts: readonly TopicPart[],
): Promise<void> {
  const fields = { topic };
  for (const { address, isMaster } of parts)
    if (isMaster)
      await servers.ask(address, {
        code: RequestCode.DELETE_TOPIC_IN_BROKER,
        fields,
        to: `delete topic ${topic}`,
      });
  await servers.askAllNameServers({
    code: RequestCode.DELETE_TOPIC_IN_NAMESRV,
    fields,
    to: `forget topic ${topic}`,
  });
}

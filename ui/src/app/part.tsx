/** A part of a view, table or menu that is loaded when it is first shown. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Unloaded } from "./panel";

type PartProps<P> = P & { load(): Promise<{ default: ComponentType<P> }> };

export function Part<P extends object>({ load, ...rest }: PartProps<P>) {
  const [Loaded, setLoaded] = useState<ComponentType<P> | "failed" | null>(null);
  useEffect(() => {
    load().then(
      (module) => setLoaded(() => module.default),
      () => setLoaded("failed"),
    );
  }, []);
  if (Loaded === null) return null;
  if (Loaded !== "failed") return <Loaded {...(rest as unknown as P)} />;
  return <Unloaded what="This" />;
}

(* From the flow to the paper's variables: (E4) and (E9) with (E1)-(E2) solve (7) wherever ||dh||^2 > 0. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters EqE1 EqE4 EqE5 EqE6 EqE9 Eq7 Basics Exact.
Open Scope R_scope.

(* A start that the paper allows: positive constants, ||dh(0)|| > 0, and dy at any angle with dy*, of which
   `cosine` is the cosine. (E5) turns it into the letters of (E1)-(E2). *)
Definition start (L : letters) : Prop :=
  eqE5 L /\ 0 < dx2 L /\ 0 < tau_h L /\ 0 < tau_y L /\ 0 < dh2_0 L /\ 0 <= dy2_0 L /\ 0 <= dy2_target L
  /\ -1 <= cosine L <= 1.

(* The variables of (7), given by (E4) in N at the times at which N > 0, by which (E4) divides. *)
Definition variables (L : letters) : Prop := forall t, 0 < N L t -> eqE4 L t.

Section Start.

Variable L : letters.
Hypothesis begins : start L.

(* p_0^2 = ||dh(0)||^2/(2 tau_y). *)
Lemma p_0_squared : p_0 L ^ 2 = dh2_0 L / (2 * tau_y L).
Proof.
  destruct begins as ((Hp & _) & Hdx & Hh & Hy & H0 & _); unfold eqE5_1 in Hp; rewrite Hp.
  assert (0 < sqrt (tau_y L)) by now apply sqrt_lt_R0.
  replace ((sqrt 2 * sqrt (dh2_0 L) / (2 * sqrt (tau_y L))) ^ 2)
    with (sqrt 2 ^ 2 * sqrt (dh2_0 L) ^ 2 / (4 * sqrt (tau_y L) ^ 2)) by (field; lra).
  rewrite !pow2_sqrt by lra; field; lra.
Qed.

(* p_0 > 0. *)
Lemma p_0_positive : 0 < p_0 L.
Proof.
  destruct begins as ((Hp & _) & Hdx & Hh & Hy & H0 & _); unfold eqE5_1 in Hp; rewrite Hp.
  assert (0 < sqrt (tau_y L)) by now apply sqrt_lt_R0.
  assert (0 < sqrt (dh2_0 L)) by now apply sqrt_lt_R0.
  assert (0 < sqrt 2) by (apply sqrt_lt_R0; lra).
  apply Rdiv_lt_0_compat; [apply Rmult_lt_0_compat; lra | lra].
Qed.

(* x_0^2 + y_0^2 = ||dx||^2 ||dy(0)||^2/(2 tau_h ||dh(0)||^2), of which x_0 has the share cosine^2. *)
Lemma x_0_squared :
  x_0 L ^ 2 = cosine L ^ 2 * (dx2 L * dy2_0 L / (2 * tau_h L * dh2_0 L)).
Proof.
  destruct begins as ((_ & Hx & _) & Hdx & Hh & Hy & H0 & Hdy & _); unfold eqE5_2 in Hx; rewrite Hx.
  assert (0 < sqrt (tau_h L)) by now apply sqrt_lt_R0.
  assert (0 < sqrt (dh2_0 L)) by now apply sqrt_lt_R0.
  replace ((cosine L * sqrt 2 * sqrt (dx2 L) * sqrt (dy2_0 L) / (2 * sqrt (dh2_0 L) * sqrt (tau_h L))) ^ 2)
    with (cosine L ^ 2 * sqrt 2 ^ 2 * sqrt (dx2 L) ^ 2 * sqrt (dy2_0 L) ^ 2
          / (4 * sqrt (dh2_0 L) ^ 2 * sqrt (tau_h L) ^ 2)) by (field; lra).
  rewrite !pow2_sqrt by lra; field; lra.
Qed.

(* y_0 has the rest of it. *)
Lemma y_0_squared :
  y_0 L ^ 2 = (1 - cosine L ^ 2) * (dx2 L * dy2_0 L / (2 * tau_h L * dh2_0 L)).
Proof.
  destruct begins as ((_ & _ & Hy0 & _) & Hdx & Hh & Hy & H0 & Hdy & Hd & Hcos); unfold eqE5_3 in Hy0.
  rewrite Hy0.
  assert (0 < sqrt (tau_h L)) by now apply sqrt_lt_R0.
  assert (0 < sqrt (dh2_0 L)) by now apply sqrt_lt_R0.
  replace ((sqrt 2 * sqrt (dx2 L) * sqrt (dy2_0 L) * sqrt (1 - cosine L ^ 2)
            / (2 * sqrt (dh2_0 L) * sqrt (tau_h L))) ^ 2)
    with (sqrt 2 ^ 2 * sqrt (dx2 L) ^ 2 * sqrt (dy2_0 L) ^ 2 * sqrt (1 - cosine L ^ 2) ^ 2
          / (4 * sqrt (dh2_0 L) ^ 2 * sqrt (tau_h L) ^ 2)) by (field; lra).
  rewrite !pow2_sqrt by nra; field; lra.
Qed.

(* c is the imbalance p_0^2 - x_0^2 - y_0^2 of the start. *)
Lemma c_at_start : c L = p_0 L ^ 2 - x_0 L ^ 2 - y_0 L ^ 2.
Proof.
  rewrite p_0_squared, x_0_squared, y_0_squared.
  destruct begins as ((_ & _ & _ & Hc & _) & Hdx & Hh & Hy & H0 & _); unfold eqE5_4 in Hc.
  rewrite Hc; field; lra.
Qed.

(* s^2 = ||dx||^2 ||dy*||^2/(4 tau_h tau_y), solved for the targets' distance. *)
Lemma target : dy2_target L = 4 * tau_h L * tau_y L * s L ^ 2 / dx2 L.
Proof.
  destruct begins as ((_ & _ & _ & _ & Hs) & Hdx & Hh & Hy & H0 & Hdy & Hd & _); unfold eqE5_5 in Hs.
  rewrite Hs, s_squared by lra; field; lra.
Qed.

(* s p_0 x_0 is what dy.dy* is at the start, in scaled letters. *)
Lemma start_product : s L * p_0 L * x_0 L
  = dx2 L / (4 * tau_h L * tau_y L) * (cosine L * sqrt (dy2_0 L) * sqrt (dy2_target L)).
Proof.
  destruct begins as ((Ep & Ex & _ & _ & Es) & Hdx & Hh & Hty & H0 & Hdy & Hd & _).
  unfold eqE5_1 in Ep; unfold eqE5_2 in Ex; unfold eqE5_5 in Es; rewrite Ep, Ex, Es.
  assert (0 < sqrt (tau_h L)) by now apply sqrt_lt_R0.
  assert (0 < sqrt (tau_y L)) by now apply sqrt_lt_R0.
  assert (0 < sqrt (dh2_0 L)) by now apply sqrt_lt_R0.
  replace (dx2 L / (4 * tau_h L * tau_y L))
    with (sqrt 2 ^ 2 * sqrt (dx2 L) ^ 2 / (8 * sqrt (tau_h L) ^ 2 * sqrt (tau_y L) ^ 2))
    by (rewrite !pow2_sqrt by lra; field; lra).
  field; lra.
Qed.

Hypothesis solved : exact L.
Hypothesis given : variables L.

(* |z|^2, which is N', and its rate N''. *)
Definition N_dot (t : R) : R := z_p L t ^ 2 + z_x L t ^ 2 + z_y L t ^ 2.
Definition N_ddot (t : R) : R :=
  c L * (z_p L t ^ 2 - z_x L t ^ 2 - z_y L t ^ 2) + 4 * s L * z_p L t * z_x L t.

(* N' = |z|^2. *)
Lemma N_dot_is : forall t, is_derive (N L) t (N_dot t).
Proof. destruct solved as (E6 & HA & E1 & _); now apply N_rate. Qed.

(* Its rate is N''. *)
Lemma N_dot_rate : forall t, is_derive N_dot t (N_ddot t).
Proof.
  intros t; destruct solved as (E6 & HA & _).
  assert (Hp := z_p_rate L E6 HA t); assert (Hx := z_x_rate L E6 HA t); assert (Hy := z_y_rate L t).
  unfold N_dot, N_ddot; auto_derive; [derivable | known_rates; field].
Qed.

(* (E4) without derivatives. *)
Lemma dh2_is : forall t, 0 < N L t -> dh2 L t = tau_y L * (c L + N_dot t / N L t).
Proof.
  intros t HN; destruct (given t HN) as ((_ & H) & _).
  now rewrite H, (is_derive_unique _ _ _ (N_dot_is t)).
Qed.

(* The second line of (E4), *)
Lemma dy2_is : forall t, 0 < N L t ->
  dy2 L t = tau_h L * tau_y L * (c L + N_dot t / N L t) * (- c L + N_dot t / N L t) / dx2 L.
Proof.
  intros t HN; destruct (given t HN) as (_ & (_ & H) & _).
  now rewrite H, (is_derive_unique _ _ _ (N_dot_is t)).
Qed.

(* and the third. *)
Lemma w_is : forall t, 0 < N L t ->
  w L t = - tau_h L * tau_y L * (N_ddot t / N L t - N_dot t ^ 2 / N L t ^ 2) / dx2 L.
Proof.
  intros t HN; destruct (given t HN) as (_ & _ & (_ & _ & H)).
  rewrite H, (is_derive_unique _ _ _ (N_dot_is t)).
  replace (Derive_n (N L) 2 t) with (N_ddot t); [reflexivity | symmetry; simpl].
  apply is_derive_unique, (is_derive_ext N_dot); [ | apply N_dot_rate].
  intros t'; symmetry; apply is_derive_unique, N_dot_is.
Qed.

(* From t = 0 on N > 0, also a little before and after the moment. *)
Lemma N_here : forall t, 0 <= t -> 0 < N L t /\ locally t (fun t' => 0 < N L t').
Proof.
  intros t Ht; destruct solved as (E6 & HA & E1 & _); split.
  - assert (HN := N_from_1 L E6 HA E1 t Ht); lra.
  - now apply N_near.
Qed.

(* (7) holds at every moment from the start on at which ||dh||^2 > 0. *)
Lemma variables_solve : forall t, 0 <= t -> 0 < dh2 L t -> eq7 L t.
Proof.
  intros t Ht Hdh; destruct (N_here t Ht) as (Hhere & Hnear).
  assert (Htarget := target); assert (Hstart := c_at_start).
  destruct begins as (_ & Hdx & Hh & Hy & _), solved as (E6 & HA & E1 & _).
  assert (Hz := conserved L E6 HA E1 Hstart t Ht); assert (HN := N_from_1 L E6 HA E1 t Ht).
  assert (HN' := N_dot_is t); assert (HZ := N_dot_rate t).
  assert (Hp := z_p_rate L E6 HA t); assert (Hx := z_x_rate L E6 HA t); assert (Hz_y := z_y_rate L t).
  assert (Hc : c L = (z_p L t ^ 2 - z_x L t ^ 2 - z_y L t ^ 2) / N L t)
    by (rewrite Hz; field; lra).
  assert (Hp2 : dh2 L t = 2 * tau_y L * z_p L t ^ 2 / N L t)
    by (rewrite dh2_is, Hc by exact Hhere; unfold N_dot; field; lra).
  assert (Hp0 : z_p L t <> 0).
  { intros E; rewrite Hp2, E in Hdh; revert Hdh; replace (_ / _) with 0 by (field; lra); lra. }
  split; [ | split]; apply rate.
  - eapply rate_near;
      [ | apply (filter_imp _ _ (fun t' H => eq_sym (dh2_is t' H)) Hnear) | ].
    { auto_derive; [derivable; lra | reflexivity]. }
    known_rates; rewrite w_is by exact Hhere; unfold N_dot, N_ddot; field; lra.
  - eapply rate_near;
      [ | apply (filter_imp _ _ (fun t' H => eq_sym (dy2_is t' H)) Hnear) | ].
    { auto_derive; [derivable; lra | reflexivity]. }
    known_rates; rewrite w_is, dy2_is, Hp2 by exact Hhere; unfold N_dot, N_ddot; rewrite Hc; field; lra.
  - eapply rate_near;
      [ | apply (filter_imp _ _ (fun t' H => eq_sym (w_is t' H)) Hnear) | ].
    { unfold N_ddot; auto_derive; [derivable; nra | reflexivity]. }
    known_rates; rewrite w_is, dy2_is, Hp2, Htarget by exact Hhere.
    unfold N_dot, N_ddot; rewrite Hc; field; lra.
Qed.

(* The variables begin at the given start. *)
Lemma variables_start :
  dh2 L 0 = dh2_0 L /\ dy2 L 0 = dy2_0 L
  /\ w L 0 = dy2_0 L - cosine L * sqrt (dy2_0 L) * sqrt (dy2_target L).
Proof.
  assert (Hc := c_at_start); assert (Hp := p_0_squared).
  assert (Hx := x_0_squared); assert (Hy := y_0_squared).
  assert (Hpx := start_product).
  destruct solved as (E6 & HA & E1 & E2).
  assert (HZ : N_dot 0 = p_0 L ^ 2 + x_0 L ^ 2 + y_0 L ^ 2
               /\ N_ddot 0 = c L * c L + 4 * (s L * p_0 L * x_0 L)).
  { destruct (motion_starts L HA) as (Hp0 & Hx0 & Hy0).
    unfold N_dot, N_ddot; rewrite Hp0, Hx0, Hy0; split; [ring | rewrite Hc; ring]. }
  destruct HZ as (HZ & HZ').
  destruct begins as (_ & Hdx & Hh & Hty & H0 & _).
  assert (Hhere : 0 < N L 0) by (rewrite (N_at_0 L HA E1); lra).
  rewrite dh2_is, dy2_is, w_is, (N_at_0 L HA E1), HZ, HZ', Hpx, Hc, Hp, Hx, Hy by exact Hhere.
  repeat split; field; lra.
Qed.

(* (E9) at a moment, with gap the error p x - s along the target. *)
Lemma variables_squares : forall t, 0 <= t -> gap L = p L t * x L t - s L ->
  eqE9_1 L t /\ eqE9_2 L t /\ eqE9_3 L t.
Proof.
  intros t Ht Hgap.
  assert (Hstart := c_at_start).
  destruct begins as (_ & Hdx & Hh & Hy & _), solved as (E6 & HA & E1 & E2).
  assert (Hz := conserved L E6 HA E1 Hstart t Ht); assert (HN := N_from_1 L E6 HA E1 t Ht).
  assert (Hroot : 0 < sqrt (N L t)) by (apply sqrt_lt_R0; lra).
  assert (Hc : c L = (z_p L t ^ 2 - z_x L t ^ 2 - z_y L t ^ 2) / N L t)
    by (rewrite Hz; field; lra).
  unfold eqE9_1, eqE9_2, eqE9_3.
  rewrite Hgap, dh2_is, dy2_is, w_is by lra; unfold N_dot, N_ddot.
  rewrite (p_is L HA E2), (x_is L HA E2), (y_is L E2), Hc by lra.
  assert (Hsquare : N L t = sqrt (N L t) ^ 2) by (symmetry; apply pow2_sqrt; lra).
  revert Hroot Hsquare; generalize (sqrt (N L t)); intros root Hroot Hsquare; rewrite Hsquare.
  repeat split; field; lra.
Qed.

End Start.

(* (E4), with N from (E1), solves the paper's system (7) from every allowed start except c = s = 0, where A =
   0, at every moment from t = 0 on at which ||dh||^2 > 0; outputs of any dimension are meant, through the
   angle of the start.
   Checks (7), (E1), (E4) and (E5). *)
Theorem exact_solves_eq7 : forall L, start L -> exact L -> variables L ->
  forall t, 0 <= t -> 0 < dh2 L t -> eq7 L t.
Proof. exact variables_solve. Qed.

(* From every allowed start except c = s = 0, where A = 0, the ||dh||^2, ||dy||^2 and w = ||dy||^2 - dy.dy* of
   (E4), with N from (E1), have their initial values at t = 0.
   Checks (E1), (E4) and (E5). *)
Theorem exact_variables_start : forall L, start L -> exact L -> variables L ->
  dh2 L 0 = dh2_0 L /\ dy2 L 0 = dy2_0 L
  /\ w L 0 = dy2_0 L - cosine L * sqrt (dy2_0 L) * sqrt (dy2_target L).
Proof. exact variables_start. Qed.

(* From every allowed start except c = s = 0, where A = 0, at every moment from t = 0 on (E4) is (E9):
   ||dh||^2, ||dy||^2 and w are the products of p, x and y that its first three lines say.
   Checks (E2), (E4) and (E9). *)
Theorem exact_variables_squares : forall L, start L -> exact L -> variables L ->
  forall t, 0 <= t -> gap L = p L t * x L t - s L -> eqE9_1 L t /\ eqE9_2 L t /\ eqE9_3 L t.
Proof. exact variables_squares. Qed.
